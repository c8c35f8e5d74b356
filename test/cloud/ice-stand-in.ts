import { createRequire } from "node:module";

// The vendor's package cannot be installed here. This has the shape of its generated code, over the same core: what the
// core sends and throws is the real thing, only the models are ours.

const core = createRequire(import.meta.url)("@alicloud/openapi-core") as typeof import("@alicloud/openapi-core");
const { $OpenApiUtil, OpenApiUtil, default: OpenApi } = core;
type Runtime = Parameters<InstanceType<typeof OpenApi>["callApi"]>[2];

class Model {
  [property: string]: unknown;
  constructor(map: Record<string, unknown>) {
    Object.assign(this, map);
  }
}
class DescribeAIAgentInstanceRequest extends Model {
  static names(): Record<string, string> {
    return { instanceId: "InstanceId" };
  }
}
class ListAIAgentInstanceRequest extends Model {
  static names(): Record<string, string> {
    return {
      AIAgentId: "AIAgentId",
      endTime: "EndTime",
      pageNumber: "PageNumber",
      pageSize: "PageSize",
      startTime: "StartTime",
    };
  }
}

class Client extends OpenApi {
  async #call(action: string, request: Model, names: Record<string, string>) {
    const query = Object.fromEntries(Object.entries(request).map(([property, value]) => [names[property], value]));
    const params = new $OpenApiUtil.Params({
      action,
      version: "2020-11-09",
      protocol: "HTTPS",
      pathname: "/",
      method: "POST",
      authType: "AK",
      style: "RPC",
      reqBodyType: "formData",
      bodyType: "json",
    });
    const sent = new $OpenApiUtil.OpenApiRequest({ query: OpenApiUtil.query(query) });
    const { body, headers, statusCode } = await this.callApi(params, sent, {} as Runtime);
    return { headers, statusCode, body: { toMap: () => body } };
  }
  describeAIAgentInstance(request: Model) {
    return this.#call("DescribeAIAgentInstance", request, DescribeAIAgentInstanceRequest.names());
  }
  listAIAgentInstance(request: Model) {
    return this.#call("ListAIAgentInstance", request, ListAIAgentInstanceRequest.names());
  }
}

/** As `import()` gives a CommonJS module. */
export const standIn = { default: { default: Client, DescribeAIAgentInstanceRequest, ListAIAgentInstanceRequest } };
