import { hash } from "node:crypto";
import { OpenApiUtil } from "@alicloud/openapi-core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeForm, signedHeaders } from "../../src/cloud/signing.ts";

type Request = Parameters<typeof OpenApiUtil.getAuthorization>[0];

const header = fc.stringMatching(/^[\x21-\x7e]{1,40}$/);
const text = fc.string({ unit: "binary" }).filter((t) => t.isWellFormed());
/** Names of parameters, such as `Filters.1.Key`: others the library does not encode. */
const parameters = fc.dictionary(fc.stringMatching(/^[A-Za-z0-9._~-]{1,20}$/), text);

test("a request is signed as the vendor's library signs it", () => {
  const request = fc.record({
    host: header,
    action: header,
    version: header,
    userAgent: header,
    query: parameters,
    body: parameters.map(encodeForm),
    key: fc.record(
      { accessKeyId: header, accessKeySecret: header, securityToken: header, provider: header },
      { requiredKeys: ["accessKeyId", "accessKeySecret", "provider"] },
    ),
    at: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date("2100-01-01") }).map(Number),
    nonce: header,
  });
  fc.assert(
    fc.property(request, (r) => {
      const { authorization, ...headers } = signedHeaders(r);
      const toSign = { method: "POST", pathname: "/", query: r.query, headers } as Request;
      const { accessKeyId, accessKeySecret } = r.key;
      const payload = hash("sha256", r.body);
      expect(headers["x-acs-content-sha256"]).toBe(payload);
      const theirs = OpenApiUtil.getAuthorization(toSign, "ACS3-HMAC-SHA256", payload, accessKeyId, accessKeySecret);
      expect(authorization).toBe(theirs);
    }),
  );
});
