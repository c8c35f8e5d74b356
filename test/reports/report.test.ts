import { describe, expect, it, vi } from "vitest";
import { reportHtml, reportJson } from "../../src/reports/report.ts";
import { createStats } from "../../src/reports/stats.ts";
import { factsOf, HOSTILE } from "./facts.ts";

const reportOf = (text?: string): Promise<string> => {
  const { facts, examples } = factsOf(text);
  return reportHtml(facts, examples);
};

const VOID = new Set(["meta", "br", "!doctype"]);
/** Every element of the page, checked to be closed in order. */
const elements = (page: string): string[] => {
  const open: string[] = [];
  const names: string[] = [];
  const body = page.replace(/<style>[\s\S]*?<\/style>/, "<style></style>");
  expect(body.replace(/<(?:[^<>"]|"[^"]*")*>/g, "")).not.toMatch(/[<>]/);
  for (const [, close, name = "", empty] of body.matchAll(/<(\/?)([!a-zA-Z0-9]+)(?:[^<>"]|"[^"]*")*?(\/?)>/g)) {
    if (close) expect(open.pop()).toBe(name);
    else {
      names.push(name);
      if (!VOID.has(name) && !empty) open.push(name);
    }
  }
  expect(open).toEqual([]);
  return names;
};

describe("the report", () => {
  it("is well-formed, asks nobody for anything and runs nothing", async () => {
    const page = await reportOf();
    const names = elements(page);
    expect(names).not.toContain("script");
    expect(names).not.toContain("img");
    expect(names).not.toContain("link");
    const addresses = new Set(page.match(/https?:\/\/[^\s"'<>)]*/g));
    expect([...addresses]).toEqual(["http://www.w3.org/2000/svg"]);
    expect(page).not.toMatch(/url\((?!#)|@import|\son\w+=/);
    expect(page).toContain("default-src 'none'");
  });

  it("shows the flow, the distributions, the reasons and ten samples", async () => {
    const page = await reportOf();
    for (const name of ["flow", "turns", "tokens", "characters", "durations", "languages", "reasons", "changes"])
      expect(page).toContain(`aria-label="${name}"`);
    for (const text of ["Calls  60", "Kept as they are  20", "Kept, changed  20", "Dropped  20", "roles: role:x  15"])
      expect(page).toContain(`>${text}<`);
    expect(page.match(/class="example"/g)).toHaveLength(10);
    expect(page).toContain('class="message user"');
  });

  it("escapes all that others wrote, also in the pictures", async () => {
    const page = await reportOf(HOSTILE);
    const names = elements(page);
    expect(names).not.toContain("script");
    expect(names).not.toContain("img");
    expect(page).toContain("&lt;script&gt;");
    expect(page.isWellFormed()).toBe(true);
    expect(page).not.toContain("\0");
  });

  it("has colours for light, dark and paper, and none fixed in its pictures", async () => {
    const page = await reportOf();
    expect(page).toContain("prefers-color-scheme:dark");
    expect(page).toContain("@media print");
    const pictures = (page.match(/<svg[\s\S]*?<\/svg>/g) ?? []).join("");
    expect(pictures.match(/(?:fill|stroke|stop-color)="(?!none|var\(|url\(#)[^"]*"/g) ?? []).toEqual([]);
  });

  it("is the same, byte for byte, when made again; and says nothing on the way", async () => {
    const spies = (["log", "warn", "error", "info"] as const).map((name) => vi.spyOn(console, name));
    const page = await reportOf();
    expect(await reportOf()).toBe(page);
    expect(reportJson(factsOf().facts)).toBe(reportJson(factsOf().facts));
    for (const spy of spies) expect(spy).not.toHaveBeenCalled();
  });

  it("is a page for a data set without a call, too", async () => {
    const stats = createStats({ seed: "1" });
    const page = await reportHtml(stats.facts({ tool: "t", task: "chat", policies: {}, files: [] }), stats.examples());
    elements(page);
    expect(page).toContain("There was no call");
  });
});
