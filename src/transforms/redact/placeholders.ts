import type { Transcript } from "../../core/transcript.ts";
import { PLACEHOLDER } from "./fold.ts";
import type { Span } from "./span.ts";

/** The placeholders of one call: numbered in order of appearance, the same number for the same value. */
export class Placeholders {
  /** The number of replacements by name. */
  readonly counts: Partial<Record<string, number>> = {};
  /** The number of all replacements. */
  total = 0;
  readonly #transcript: Transcript;
  readonly #placeholders = new Map<string, string>();
  #highest: Map<string, number> | undefined;

  constructor(transcript: Transcript) {
    this.#transcript = transcript;
  }

  /** Counts a find and returns its placeholder. */
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

  /** Replaces the finds in a text; `spans` must be ordered and must not overlap. */
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

/** The highest numbers in the transcript from an earlier redaction: numbering continues after them. */
const highestIn = (transcript: Transcript): Map<string, number> => {
  const highest = new Map<string, number>();
  for (const [, label = "", number] of JSON.stringify(transcript).matchAll(PLACEHOLDER))
    highest.set(label, Math.max(highest.get(label) ?? 0, Number(number)));
  return highest;
};

/** `id-card` becomes `<ID_CARD_1>`. */
const labelOf = (name: string): string => name.toUpperCase().replaceAll("-", "_");
