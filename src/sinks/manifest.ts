import { isAbsolute } from "node:path";

/** Whether a name that a manifest gives stays in the manifest's own folder. A manifest may come from anybody. */
export const isInside = (name: string): boolean =>
  name !== "" &&
  !name.includes("\0") &&
  !isAbsolute(name) &&
  !name.split(/[/\\]/).some((step) => step === ".." || step === "." || step === "");

/** The name that a line in the form of `sha256sum` gives, if it is one in the same folder. */
export const listedName = (line: string): string | undefined => {
  const [, name] = /^[0-9a-f]{64} {2}([^/]+)$/.exec(line) ?? [];
  return name !== undefined && isInside(name) ? name : undefined;
};
