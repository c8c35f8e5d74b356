import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { selfSigned } from "./certificate.ts";

export const CERTIFICATE_PATH = "/x509_public_certificate_emulator.pem";

/** How a delivery to an HTTP target is signed. */
export interface DeliveryOptions {
  /** The address of the target. */
  url: string;
  body: string | Uint8Array;
  /** The user's token of the target. @default none */
  token?: string;
  /** When it is sent. @default now */
  at?: Date;
  /** Whether the signed text ends with a line break, as in older code of the vendor. @default false */
  finalNewline?: boolean;
}

/** Signs deliveries to HTTP targets as EventBridge does. The key is made when it is first needed. */
export const createDeliveries = (origin: () => string, now: () => Date) => {
  let made: { privateKey: KeyObject; pem: string } | undefined;
  const identity = () => {
    if (made) return made;
    const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
    made = { privateKey: keys.privateKey, pem: selfSigned("emulator-eventbridge", keys) };
    return made;
  };
  const certificateUrl = (): string => origin() + CERTIFICATE_PATH;
  return {
    certificate: (): string => identity().pem,
    certificateUrl,
    /** The headers of a delivery. */
    sign: ({ url, body, token, at = now(), finalNewline = false }: DeliveryOptions): Record<string, string> => {
      const fixed = {
        "x-eventbridge-signature-timestamp": String(at.getTime()),
        "x-eventbridge-hash-method": "SHA256",
        "x-eventbridge-signature-version": "1.0",
        "x-eventbridge-signature-url": certificateUrl(),
        ...(token !== undefined && { "x-eventbridge-signature-token": token }),
      };
      const lines = Object.entries(fixed).map(([name, value]) => `${name}: ${value}`);
      const text = Buffer.concat([
        Buffer.from(`${[url, ...lines].join("\n")}\n`),
        Buffer.from(body),
        Buffer.from(finalNewline ? "\n" : ""),
      ]);
      const signature = sign("RSA-SHA256", text, identity().privateKey).toString("base64");
      return { "content-type": "application/json;charset=utf-8", ...fixed, "x-eventbridge-signature-v2": signature };
    },
  };
};

export type Deliveries = ReturnType<typeof createDeliveries>;
