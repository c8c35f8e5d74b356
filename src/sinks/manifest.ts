import { isAbsolute } from "node:path";

/** Whether a name stays inside the manifest's folder. A manifest is not trusted: anybody may have written it. */
export const isInside = (name: string): boolean =>
  name !== "" &&
  !name.includes("\0") &&
  !isAbsolute(name) &&
  !name.split(/[/\\]/).some((step) => step === ".." || step === "." || step === "");

/** The file name in a line of `sha256sum`, if it is in the same folder. */
export const listedName = (line: string): string | undefined => {
  const [, name] = /^[0-9a-f]{64} {2}([^/]+)$/.exec(line) ?? [];
  return name !== undefined && isInside(name) ? name : undefined;
};
