import { UsageError } from "../core/errors.ts";
import { DEFAULT_REGION } from "../core/region.ts";
import { isLoopback } from "../http/hosts.ts";

/**
The service's endpoint in a region: `ice.<region>.aliyuncs.com`.

The vendor's SDK sends most regions to the central `ice.aliyuncs.com`, its documentation to the regional name. Agents
live in one region, so the regional name is taken; `--endpoint` has the last word.
*/
export const endpointFor = (region: string = DEFAULT_REGION): URL => {
  // It becomes part of a host name: nothing but a region may.
  if (!/^[a-z]{2,4}(-[a-z0-9]+)+$/.test(region)) throw new UsageError(`"${region}" is not a region like cn-shanghai.`);
  return new URL(`https://ice.${region}.aliyuncs.com`);
};

/** The region that an endpoint serves, where its name says so. */
export const regionOf = ({ hostname }: URL): string | undefined =>
  /^ice\.([a-z0-9-]+)\.aliyuncs\.com$/.exec(hostname)?.[1];

/** Reads an `--endpoint`: https, or http to this machine; nothing after the host. Throws UsageError. */
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
