import { type KeyObject, sign } from "node:crypto";

// DER, as far as a certificate that signs itself needs it. Node reads certificates, but makes none.

const der = (tag: number, ...parts: Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
};
const sequence = (...parts: Uint8Array[]): Buffer => der(0x30, ...parts);
const utcTime = (date: Date): Buffer =>
  der(0x17, Buffer.from(`${date.toISOString().slice(2, 19).replace(/[-T:]/g, "")}Z`));

const SHA256_WITH_RSA = sequence(Buffer.from("06092a864886f70d01010b0500", "hex"));
const COMMON_NAME = Buffer.from("0603550403", "hex");

/** A certificate of this key that is signed with the key itself, as PEM; valid from 2020 to 2040. */
export const selfSigned = (name: string, keys: { publicKey: KeyObject; privateKey: KeyObject }): string => {
  const owner = sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from(name)))));
  const from = new Date("2020-01-01T00:00:00Z");
  const to = new Date("2040-01-01T00:00:00Z");
  const facts = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    SHA256_WITH_RSA,
    owner,
    sequence(utcTime(from), utcTime(to)),
    owner,
    keys.publicKey.export({ type: "spki", format: "der" }),
  );
  const signature = sign("sha256", facts, keys.privateKey);
  const whole = sequence(facts, SHA256_WITH_RSA, der(0x03, Buffer.from([0]), signature));
  const lines = whole.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
};
