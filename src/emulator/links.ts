import { createHmac } from "node:crypto";
import type { Answer, Refuse } from "./answer.ts";
import { type Keys, sameText } from "./signature.ts";

/** Signs links of the object store, and checks them. @param now the emulator's clock */
export const createLinks = (keys: Keys, now: () => Date) => {
  const sign = (path: string, expires: string): string =>
    `SIGNATURE${createHmac("sha256", keys.accessKeySecret).update(`GET\n${path}\n${expires}`).digest("base64url")}`;
  return {
    /** The query of a link. @param path as it is written in the link @param seconds until it expires; negative: before now */
    query: (path: string, seconds: number): string => {
      const expires = String(Math.floor(now().getTime() / 1000) + seconds);
      return String(
        new URLSearchParams({ Expires: expires, OSSAccessKeyId: keys.accessKeyId, Signature: sign(path, expires) }),
      );
    },

    /** The answer to a link that is not valid. */
    refusal: (path: string, query: URLSearchParams, refuse: Refuse): Answer | undefined => {
      const expires = query.get("Expires") ?? "";
      if (!query.has("Signature"))
        return refuse(403, "AccessDenied", "Anonymous access is forbidden for this operation.");
      if (!sameText(query.get("Signature") ?? "", sign(path, expires)))
        return refuse(403, "SignatureDoesNotMatch", "The request signature we calculated does not match.");
      if (now().getTime() / 1000 >= Number(expires)) return refuse(403, "AccessDenied", "Request has expired.");
      return undefined;
    },
  };
};

export type Links = ReturnType<typeof createLinks>;
