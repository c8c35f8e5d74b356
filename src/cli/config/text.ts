import { Composer, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, Parser } from "yaml";
import { deepLine } from "./depth.ts";

/** A value as text in the config file. */
export interface ValueText {
  text: string;
  /** Not in quotes: only then do `false` and `null` have their special meaning. */
  plain: boolean;
  line: number;
}

/** `key: value`, or `key:` with a list of values. */
export interface Entry {
  key: string;
  line: number;
  values: readonly ValueText[];
  list: boolean;
}

/** The name of a command, for example `export:`, with its flags below it. */
export interface Section {
  key: string;
  line: number;
  entries: readonly Entry[];
}

export interface Problem {
  line: number;
  text: string;
}

export interface Settings {
  entries: readonly Entry[];
  sections: readonly Section[];
  problems: readonly Problem[];
}

/**
The settings in a YAML or JSON text. Every value stays text, because the flag's own parser reads it.

Aliases are not followed and deep nesting is not parsed: settings need neither.
*/
export const parseSettings = (text: string): Settings => {
  const none = { entries: [], sections: [] };
  const deep = deepLine(text);
  if (deep !== undefined) return { ...none, problems: [{ line: deep, text: "The nesting is too deep." }] };
  const lines = new LineCounter();
  // JSON may be indented with tabs, YAML may not. JSON strings contain no tabs.
  const source = /^\s*\{/.test(text) ? text.replaceAll("\t", " ") : text;
  const tokens = [...new Parser(lines.addNewLine).parse(source)];
  const [document, another] = new Composer({ schema: "failsafe", uniqueKeys: false }).compose(tokens);
  const lineAt = (offset: number): number => lines.linePos(offset).line || 1;
  const problems = [...(document?.errors ?? []), ...(document?.warnings ?? [])].map(({ message, pos }) => ({
    line: lineAt(pos[0]),
    text: `${message}.`,
  }));
  if (another) problems.push({ line: lineAt(another.range[0]), text: "The file has two documents; write one." });
  const contents = document?.contents;
  // A file with only `---` has an empty node.
  const isEmpty = !contents || (isScalar(contents) && contents.type === "PLAIN" && contents.value === "");
  return problems.length > 0 || isEmpty ? { ...none, problems } : new Reader(lineAt).settings(contents);
};

/** A file with more is not a config file, and reading it would only take time. */
const MOST_KEYS = 1000;
const MOST_VALUES = 10_000;

/** Turns the nodes of a document into settings, and collects problems. */
class Reader {
  readonly #problems: Problem[] = [];
  readonly #lineAt: (offset: number) => number;

  constructor(lineAt: (offset: number) => number) {
    this.#lineAt = lineAt;
  }

  settings(contents: Node): Settings {
    const entries: Entry[] = [];
    const sections: Section[] = [];
    for (const { key, line, value } of this.#pairs(contents))
      if (isMap(value)) sections.push({ key, line, entries: this.#pairs(value).map((pair) => this.#entry(pair)) });
      else entries.push(this.#entry({ key, line, value }));
    return { entries, sections, problems: this.#problems };
  }

  #pairs(node: Node): Pair[] {
    if (!isMap(node)) {
      this.#problem(node, "Write lines of `flag: value`.");
      return [];
    }
    if (node.items.length > MOST_KEYS) {
      this.#problem(node, "There are more than 1,000 keys.");
      return [];
    }
    return node.items.flatMap(({ key, value }) => {
      if (isScalar(key)) return [{ key: String(key.value ?? ""), line: this.#line(key), value: value as Node | null }];
      this.#problem((key as Node | null) ?? node, "A key is the name of a flag.");
      return [];
    });
  }

  #entry({ key, line, value }: Pair): Entry {
    const nodes = isSeq(value) ? (value.items as (Node | null)[]) : [value];
    if (nodes.length > MOST_VALUES) {
      if (value) this.#problem(value, "There are more than 10,000 values.");
      return { key, line, values: [], list: true };
    }
    return { key, line, values: nodes.flatMap((node) => this.#values(node, line)), list: isSeq(value) };
  }

  #values(node: Node | null, line: number): ValueText[] {
    if (!node) return [{ text: "", plain: true, line }];
    if (isScalar(node))
      return [{ text: String(node.value ?? ""), plain: node.type === "PLAIN", line: this.#line(node) }];
    if (isAlias(node)) this.#problem(node, `*${node.source}: aliases are not followed; write the value again.`);
    else this.#problem(node, "Write a value here, not a list or a mapping.");
    return [];
  }

  #line(node: Node): number {
    return this.#lineAt(node.range?.[0] ?? 0);
  }

  #problem(node: Node, text: string): void {
    this.#problems.push({ line: this.#line(node), text });
  }
}

type Pair = { key: string; line: number; value: Node | null };
