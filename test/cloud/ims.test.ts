import { Agent } from "undici";
import { afterAll, describe, expect, it } from "vitest";
import { createIceSdk, iceSdkVersion } from "../../src/cloud/ice-sdk.ts";
import { createIms, IMS_VERSION } from "../../src/cloud/ims.ts";
import { createRpc, type Rpc } from "../../src/cloud/openapi.ts";
import { NotFound } from "../../src/core/errors.ts";
import type { JsonObject } from "../../src/core/transcript.ts";
import { imsContract } from "../contracts/ims.ts";
import { standIn } from "./ice-stand-in.ts";

const dispatcher = new Agent();
afterAll(() => dispatcher.close());
const userAgent = "callarchive-test";

imsContract("our client", async (given) =>
  createIms(createRpc({ ...given, dispatcher, version: IMS_VERSION, userAgent })),
);
imsContract("the SDK's stand-in", (given) => createIceSdk({ ...given, userAgent, load: async () => standIn }));

const installed = await iceSdkVersion();
describe.skipIf(installed === undefined)(`@alicloud/ice20201109 ${installed}`, () => {
  imsContract("the SDK", (given) => createIceSdk({ ...given, userAgent }));
});

describe("createIceSdk", () => {
  it.skipIf(installed !== undefined)("says how to get the package when it is missing", async () => {
    const options = {
      endpoint: new URL("http://127.0.0.1:1"),
      userAgent,
      credentials: { get: () => Promise.reject() },
    };
    await expect(createIceSdk(options)).rejects.toThrow("npm install @alicloud/ice20201109");
  });
});

describe("createIms", () => {
  const answering =
    (body: JsonObject): Rpc =>
    async () => ({ body, requestId: "R" });
  const query = { agentId: "a", start: new Date(0), end: new Date(0), page: 1, size: 10 };

  it.each([undefined, "", "not a url", "ftp://x.aliyuncs.com/a", 7])("treats %j as no link", async (CallLogUrl) => {
    const wire = { Instance: { Status: "Created", ...(CallLogUrl !== undefined && { CallLogUrl }) } };
    const instance = await createIms(answering(wire)).describeInstance("i");
    expect(instance).not.toHaveProperty("link");
  });

  it("asks for whole seconds of UTC", async () => {
    let asked: unknown;
    const rpc: Rpc = async (_, sent) => {
      asked = sent;
      return { body: {} };
    };
    await createIms(rpc).listInstances({ ...query, start: new Date("2025-07-14T08:00:00.789+08:00") });
    expect(asked).toMatchObject({ StartTime: "2025-07-14T00:00:00Z", EndTime: "1970-01-01T00:00:00Z" });
  });

  it.each(["\ud800", "a b", "a\u0000", "", 7])("treats %j as no id", async (InstanceId) => {
    const [listed] = await createIms(
      answering({ Instances: [{ InstanceId, Status: "Finished\ud800" }] }),
    ).listInstances(query);
    expect(listed).not.toHaveProperty("id");
    expect(listed?.status).toBe("Finished\ufffd");
  });

  it("uses an id in a list, and counts an invalid item", async () => {
    const list = await createIms(
      answering({ Instances: [{ InstanceId: "x", Status: "Finished" }, null] }),
    ).listInstances(query);
    expect(list).toEqual([
      { id: "x", status: "Finished", meta: { InstanceId: "x", Status: "Finished" }, requestId: "R" },
      { status: "Unknown", meta: {}, requestId: "R" },
    ]);
  });

  it("does not lose a page for one hostile call", async () => {
    const RuntimeConfig = JSON.parse(`${'{"a":'.repeat(60)}1${"}".repeat(60)}`);
    const hostile = {
      Status: "Finished",
      UserData: "[".repeat(20_000) + "]".repeat(20_000),
      CallLogUrl: "https://b.aliyuncs.com/k",
    };
    const list = await createIms(
      answering({ Instances: [{ Status: "Created" }, hostile, { ...hostile, RuntimeConfig }, { Status: "Finished" }] }),
    ).listInstances(query);
    expect(list.map(({ status, link }) => [status, link?.pathname])).toEqual([
      ["Created", undefined],
      ["Finished", "/k"],
      ["Finished", "/k"],
      ["Finished", undefined],
    ]);
  });

  it("accepts 64 MB of a list", async () => {
    let accepted: unknown;
    const rpc: Rpc = async (_, __, options) => {
      accepted = options?.maxBytes;
      return { body: {} };
    };
    await createIms(rpc).listInstances(query);
    expect(accepted).toBe(64 * 1024 * 1024);
  });

  it("names the agent that does not exist", async () => {
    const facts = { code: "InvalidAgent.NotFound", requestId: "R", status: 404 };
    const rpc: Rpc = () => Promise.reject(new NotFound("no such thing", facts));
    await expect(createIms(rpc).listInstances({ ...query, agentId: "agent-7" })).rejects.toMatchObject({
      name: "NotFound",
      message: expect.stringContaining("There is no agent agent-7 in this account and region"),
      facts,
    });
  });

  it.each([{}, { Instance: null }, { Instance: [] }])("refuses the answer %j", async (body) => {
    await expect(createIms(answering(body)).describeInstance("i")).rejects.toMatchObject({
      name: "Refused",
      facts: { code: "InvalidAnswer", requestId: "R" },
    });
  });

  it("treats a page without a list as empty, and refuses one with something else", async () => {
    await expect(createIms(answering({})).listInstances(query)).resolves.toEqual([]);
    await expect(createIms(answering({ Instances: {} })).listInstances(query)).rejects.toMatchObject({
      name: "Refused",
    });
  });
});
