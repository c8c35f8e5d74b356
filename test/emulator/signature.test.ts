import { afterAll, beforeAll, expect, test } from "vitest";
import { type Emulator, startEmulator } from "../../src/emulator/index.ts";
import { type Request, send } from "./signer.ts";

let emulator: Emulator;
let id: string;
beforeAll(async () => {
  emulator = await startEmulator({ deny: ["ListAIAgentInstance"] });
  id = emulator.ids().next().value ?? "";
});
afterAll(() => emulator.close());

const InstanceId = () => ({ InstanceId: id });

test("a request signed by hand is accepted, parameters in the query", async () => {
  const { status, body, headers } = await send(emulator.url, { query: { ...InstanceId(), Odd: "a b*c~d'(é)+/=&" } });
  expect(status).toBe(200);
  expect(body.RequestId).toMatch(/^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/);
  expect(headers.get("x-acs-request-id")).toBe(body.RequestId);
  expect(headers.get("date")).toBeTruthy();
});

test("parameters may come in the form body, and a security token may be signed", async () => {
  const contentType = "application/x-www-form-urlencoded";
  const { status } = await send(emulator.url, { body: `InstanceId=${id}`, contentType, token: "STS.token" });
  expect(status).toBe(200);
});

const refusals: [string, Request, number, string][] = [
  ["without a nonce", { unsent: ["x-acs-signature-nonce"] }, 400, "MissingParameter"],
  ["without authorization", { unsent: ["authorization"] }, 400, "MissingParameter"],
  ["with the date unsigned", { unsigned: ["x-acs-date"] }, 400, "IncompleteSignature"],
  ["with the token unsigned", { token: "t", unsigned: ["x-acs-security-token"] }, 400, "IncompleteSignature"],
  ["with another body than was hashed", { payload: "0".repeat(64) }, 400, "SignatureDoesNotMatch"],
  ["from an hour ago", { date: "2025-01-01T00:00:00Z" }, 400, "InvalidTimeStamp.Expired"],
  ["with a date that is none", { date: "yesterday" }, 400, "InvalidTimeStamp.Expired"],
  ["with an unknown key", { id: "somebody" }, 404, "InvalidAccessKeyId.NotFound"],
  ["with the wrong secret", { secret: "guess" }, 400, "SignatureDoesNotMatch"],
  ["for another version", { version: "2019-01-01" }, 400, "InvalidVersion"],
  ["for an unknown action", { action: "DropEverything" }, 404, "InvalidAction.NotFound"],
  ["for a denied action", { action: "ListAIAgentInstance" }, 403, "Forbidden.RAM"],
];

test.each(refusals)("a request %s is refused", async (_, request, status, code) => {
  const before = emulator.stats.errors[code] ?? 0;
  const reply = await send(emulator.url, request);
  expect([reply.status, reply.body.Code]).toEqual([status, code]);
  expect(Object.keys(reply.body)).toEqual(["RequestId", "HostId", "Code", "Message", "Recommend"]);
  expect(JSON.stringify(reply.body)).not.toContain("emulator-secret");
  expect(emulator.stats.errors[code]).toBe(before + 1);
});

test("a nonce works once", async () => {
  const request = { query: InstanceId(), nonce: "only-once" };
  expect((await send(emulator.url, request)).status).toBe(200);
  expect((await send(emulator.url, request)).body.Code).toBe("SignatureNonceUsed");
});
