import { Refused } from "../core/errors.ts";

/** An element of XML: its text, or its children. Attributes are not read. */
export interface Element {
  name: string;
  text: string;
  children: Element[];
}

const MAX_DEPTH = 16;

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

const unescaped = (text: string): string =>
  text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w{1,8}));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return ENTITIES[name] ?? whole;
    const code = Number.parseInt(decimal ?? hex, decimal === undefined ? 16 : 10);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });

const invalid = (): Refused =>
  new Refused("The object storage answered with something that is not a listing.", { code: "InvalidAnswer" });

/**
Reads the XML of an object store: elements and text, nothing else. Declarations of types and entities, which can blow up
or read files, are refused like anything unknown. Takes time in proportion to the text, which the caller bounds.

@throws Refused when it is not such XML
*/
export const parseXml = (xml: string): Element => {
  const document: Element = { name: "", text: "", children: [] };
  const open: Element[] = [document];
  let at = 0;
  while (at < xml.length) {
    const start = xml.indexOf("<", at);
    const current = open.at(-1) ?? document;
    current.text += unescaped(xml.slice(at, start < 0 ? xml.length : start));
    if (start < 0) break;
    const end = xml.indexOf(">", start);
    const tag = xml.slice(start + 1, end);
    if (end < 0 || tag.startsWith("!") || open.length > MAX_DEPTH) throw invalid();
    at = end + 1;
    if (tag.startsWith("?")) continue;
    if (tag.startsWith("/")) {
      if (open.length === 1 || open.pop()?.name !== tag.slice(1).trim()) throw invalid();
      continue;
    }
    const name = /^[\w:.-]{1,100}/.exec(tag)?.[0];
    if (name === undefined) throw invalid();
    const element: Element = { name, text: "", children: [] };
    current.children.push(element);
    if (!tag.endsWith("/")) open.push(element);
  }
  if (open.length !== 1 || document.children.length !== 1) throw invalid();
  return document.children[0] as Element;
};

/** The text of the first child with this name; undefined if there is none. */
export const childText = ({ children }: Element, name: string): string | undefined =>
  children.find((child) => child.name === name)?.text;
