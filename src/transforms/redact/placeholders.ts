import type { Transcript } from "../../core/transcript.ts";
import { PLACEHOLDER } from "./fold.ts";
import type { Span } from "./span.ts";

/** Names the finds of one call: the same value gets the same number, in order of appearance. */
export class Placeholders {
  /** How many times each name was put in place of a find. */
  readonly counts: Partial<Record<string, number>> = {};
  /** How many times any was. */
  total = 0;
  readonly #transcript: Transcript;
  readonly #placeholders = new Map<string, string>();
  #highest: Map<string, number> | undefined;

  constructor(transcript: Transcript) {
    this.#transcript = transcript;
  }

  /** Counts the find and gives what stands in its place. */
  take({ name, value }: Pick<Span, "name" | "value">): string {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
    this.total += 1;
    const label = labelOf(name);
    const key = `${label} ${value}`;
    const known = this.#placeholders.get(key);
    if (known !== undefined) return known;
    this.#highest ??= highestIn(this.#transcript);
    const number = (this.#highest.get(label) ?? 0) + 1;
    this.#highest.set(label, number);
    const placeholder = `<${label}_${number}>`;
    this.#placeholders.set(key, placeholder);
    return placeholder;
  }

  /** The text with its finds replaced; `spans` are in order and do not overlap. */
  fill(text: string, spans: readonly Span[]): string {
    let from = 0;
    const pieces: string[] = [];
    for (const span of spans) {
      pieces.push(text.slice(from, span.start), this.take(span));
      from = span.end;
    }
    return pieces.join("") + text.slice(from);
  }
}

/** Numbers go on after those that the transcript already has, from a redaction before this one. */
const highestIn = (transcript: Transcript): Map<string, number> => {
  const highest = new Map<string, number>();
  for (const [, label = "", number] of JSON.stringify(transcript).matchAll(PLACEHOLDER))
    highest.set(label, Math.max(highest.get(label) ?? 0, Number(number)));
  return highest;
};

/** `id-card` is shown as `<ID_CARD_1>`. */
const labelOf = (name: string): string => name.toUpperCase().replaceAll("-", "_");
