import { createHash, type Hash, hash as hashOf } from "node:crypto";
import type { Message } from "../../core/sample.ts";
import { createSigner, type Signature } from "./minhash.ts";
import { folded } from "./shingles.ts";
import { withSlots } from "./slots.ts";

/** A SHA-256 shortened to 128 bits. */
export const DIGEST_WORDS = 4;

/** What copies of a dialog are found by. */
export interface Fingerprint {
  /** Of roles, folded texts and tool calls, the system turn included. */
  digest: Uint32Array;
  /** Of what the user and the agent say; absent if it is not wanted, or has neither letters nor digits. */
  signature?: Signature;
}

/** A text for comparison: `exact` folded, `near` also with slots for names and placeholders. */
export const comparable = (text: string): { exact: string; near: string } => {
  const exact = folded(text);
  const open = withSlots(text);
  return { exact, near: open === text ? exact : folded(open) };
};

/**
The fingerprints of a dialog that grows message by message, so that samples that continue each other cost no more than the
longest of them.

@param withSignatures whether signatures are wanted
@param grows whether messages are added after a print
*/
export const createPrinter = (withSignatures: boolean, grows: boolean) => {
  const hash: Hash | undefined = grows ? createHash("sha256") : undefined;
  const signer = withSignatures ? createSigner() : undefined;
  /** What is not hashed yet: one update costs as much as many texts. */
  let waiting = "";
  return {
    add: ({ role, content, toolCalls = [] }: Message): void => {
      const isSpoken = role === "user" || role === "assistant";
      const { exact, near } = signer && isSpoken ? comparable(content) : { exact: folded(content), near: "" };
      const tools = toolCalls.flatMap((call) => [call.name, call.arguments]);
      waiting += `${JSON.stringify(tools.length === 0 ? [role, exact] : [role, exact, ...tools])}\n`;
      if (isSpoken) signer?.add(near);
    },
    /** Of all messages so far. */
    print: (): Fingerprint => {
      const bytes = hash?.update(waiting).copy().digest() ?? hashOf("sha256", waiting, "buffer");
      if (hash) waiting = "";
      const digest = Uint32Array.from({ length: DIGEST_WORDS }, (_, word) => bytes.readUInt32BE(4 * word));
      const signature = signer?.signature();
      return { digest, ...(signature && { signature }) };
    },
  };
};

export const fingerprintOf = (messages: readonly Message[], withSignature: boolean): Fingerprint => {
  const printer = createPrinter(withSignature, false);
  for (const message of messages) printer.add(message);
  return printer.print();
};
