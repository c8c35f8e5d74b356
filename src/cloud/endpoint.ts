import { UsageError } from "../core/errors.ts";
import { DEFAULT_REGION } from "../core/region.ts";
import { isLoopback } from "../http/hosts.ts";

/** The name of a service in its endpoints. Source: the vendor's SDKs. */
export type Service = "ice" | "eventbridge-console" | "sts";

/**
A service's endpoint in a region: `ice.<region>.aliyuncs.com`.

The vendor's SDK uses the central `ice.aliyuncs.com` for most regions, but the documentation uses the regional name.
Agents belong to one region, so the regional name is used; `--endpoint` overrides it.

@throws UsageError
*/
export const endpointFor = (region: string = DEFAULT_REGION, service: Service = "ice"): URL => {
  // The region becomes part of a host name, so it must not contain anything else.
  if (!/^[a-z]{2,4}(-[a-z0-9]+)+$/.test(region)) throw new UsageError(`"${region}" is not a region like cn-shanghai.`);
  return new URL(`https://${service}.${region}.aliyuncs.com`);
};

/** The region in an endpoint's name; undefined when the name has none. */
export const regionOf = ({ hostname }: URL): string | undefined =>
  /^(?:ice|eventbridge-console)\.([a-z0-9-]+)\.aliyuncs\.com$/.exec(hostname)?.[1];

/** Parses an `--endpoint`: https, or http to this machine, with nothing after the host. @throws UsageError */
export const parseEndpoint = (text: string): URL => {
  if (!URL.canParse(text)) throw new UsageError(`The endpoint is not a URL like https://ice.cn-shanghai.aliyuncs.com.`);
  return checkedEndpoint(new URL(text));
};

export const checkedEndpoint = (url: URL): URL => {
  if (url.username || url.password) throw new UsageError("The endpoint must not carry a user name or password.");
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url)))
    throw new UsageError(`The endpoint ${url.host} must be https; plain http is for this machine only.`);
  if (url.pathname !== "/" || url.search || url.hash)
    throw new UsageError(`The endpoint ${url.host} must end after the host: every call is a POST to "/".`);
  return url;
};
