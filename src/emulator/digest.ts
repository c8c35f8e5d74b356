import { createHash } from "node:crypto";

/** 32 hex digits that follow from the seed and the parts alone. Ids of a million calls must differ, so 32 bits do not do. */
export const digest = (seed: number, ...parts: readonly (string | number)[]): string =>
  createHash("sha256")
    .update(JSON.stringify([seed, ...parts]))
    .digest("hex")
    .slice(0, 32);

/** The same, in the form of a UUID. */
export const digestUuid = (seed: number, ...parts: readonly (string | number)[]): string =>
  digest(seed, ...parts).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
