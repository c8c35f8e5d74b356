import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import core from "@alicloud/openapi-core";

// The way of the documentation's samples: the vendor's client describes a call, then its log is fetched into a file, and
// then the next. (@alicloud/openapi-core is what the service's SDK is made of.)

const [origin, idFile, folder, limit] = process.argv.slice(2);
const { $OpenApiUtil, default: Client } = core;
const config = new $OpenApiUtil.Config({
  accessKeyId: "emulator-id",
  accessKeySecret: "emulator-secret",
  endpoint: new URL(origin).host,
  protocol: "HTTP",
});
const client = new Client(config);
const params = new $OpenApiUtil.Params({
  action: "DescribeAIAgentInstance",
  version: "2020-11-09",
  protocol: "HTTP",
  pathname: "/",
  method: "POST",
  authType: "AK",
  style: "RPC",
  reqBodyType: "formData",
  bodyType: "json",
});

mkdirSync(folder, { recursive: true });
for (const id of readFileSync(idFile, "utf8").trimEnd().split("\n").slice(0, Number(limit))) {
  const request = new $OpenApiUtil.OpenApiRequest({ query: { InstanceId: id } });
  const { body } = await client.callApi(params, request, {});
  const answer = await fetch(body.Instance.CallLogUrl);
  writeFileSync(join(folder, `${id}.json`), Buffer.from(await answer.arrayBuffer()));
}
