import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cleanMeta } from "../../src/cloud/clean.ts";

const SECRET = "S3CR3Tvalue";

const encoded = (text: string, times: number): string =>
  times === 0 ? text : encoded(encodeURIComponent(text), times - 1);
/** Every character, also those that need it not. */
const fully = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
const escaped = (text: string): string =>
  text.replace(/[&=?#<>]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16).padStart(2, "0")}`);
const entities = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const parameter = fc
  .constantFrom("Signature", "signature", "x-oss-signature", "OSSAccessKeyId", "X-Amz-Signature", "security-token")
  .map((name) => `${name}=${SECRET}`);
const place = fc.constantFrom(
  ...["https://b.oss-cn-shanghai.aliyuncs.com/k.json", "//host.example/path", "host.aliyuncs.com/x", "/path/only"],
  ...["rtmp://push.example/app", "b.example:8080/k", "HTTPS://B.EXAMPLE", "file"],
);
const link = fc
  .tuple(place, fc.constantFrom("?", "?a=1&", "?a=%2F&", "#", "?Expires=1755138072&", "?a=1;"), parameter)
  .map((parts) => parts.join(""));
const spelledLink = fc
  .tuple(
    link,
    fc.constantFrom<(text: string) => string>((text) => text, escaped, entities, fully),
    fc.nat(3),
  )
  .map(([text, spell, times]) => spell(encoded(text, times)));

const name = fc.constantFrom("AuthToken", "authToken", "AUTH_TOKEN", "auth-token", "authtoken");
const token = fc
  .tuple(
    name,
    fc.constantFrom<(name: string) => string>(
      (key) => `${key}='${SECRET}'`,
      (key) => `${key} = '${SECRET} and more'`,
      (key) => `${key}="${SECRET}"`,
      (key) => `{'${key}': '${SECRET}'}`,
      (key) => `${key}=${SECRET}`,
      (key) => `${key}: ${SECRET}`,
      (key) => `<${key}>${SECRET}</${key}>`,
      (key) => `<ns:${key} type="a b">\n${SECRET}\n</ns:${key}>`,
      (key) => `<a ${key}='${SECRET}'/>`,
      (key) => `<${key}><![CDATA[${SECRET}]]></${key}>`,
      (key) => entities(`<${key}>${SECRET}</${key}>`),
      (key) => `a=1&${key}=${SECRET}&b=2`,
      (key) => encoded(`{"${key}":"${SECRET}"}`, 1),
      (key) => encoded(`{"${key}":"${SECRET}"}`, 2),
      (key) => encoded(`a=1&${key}=${SECRET}`, 1),
      (key) => fully(`${key}=${SECRET}`),
      (key) => `{"${key}":"${SECRET}","cut`,
      (key) => `{\\"${key}\\":\\"${SECRET}\\",\\"cut`,
    ),
  )
  .map(([key, spell]) => spell(key));
const user = fc.constantFrom(
  ...[`https://u:${SECRET}@h.example/a`, `//u:${SECRET}@h.example/a`, `https%3A%2F%2Fu%3A${SECRET}%40h.example%2Fa`],
);

const word = fc.stringMatching(/^[a-zA-Z语好.,:!() -]{0,20}$/);
const inText = fc
  .tuple(word, fc.constantFrom(" ", "\n", ": ", "(", '"', "'", ""), fc.oneof(spelledLink, token, user), word)
  // A name directly before a token would be another name; a letter before // another word.
  .map(([before, gap, secret, after]) => `${gap === "" ? "" : before}${gap}${secret} ${after}`);

describe("a secret in any spelling", () => {
  it("is not left in any text, key or link", () => {
    fc.assert(
      fc.property(inText, (text) => {
        for (const wire of [{ Text: text }, { [text]: 1 }, { Deep: [{ UserData: JSON.stringify({ a: text }) }] }])
          expect(JSON.stringify(cleanMeta(wire))).not.toContain(SECRET);
        expect(JSON.stringify(cleanMeta({ CallLogUrl: text.trim() }))).not.toContain(SECRET);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ["//host/path?Signature=abc", "//host/path"],
    ["host.aliyuncs.com/x?Signature=abc", "host.aliyuncs.com/x"],
    ["https%3A%2F%2Fhost%2Fp%3FSignature%3Dabc", "https%3A%2F%2Fhost%2Fp"],
    ["https%253A%252F%252Fhost%252Fp%253FSignature%253Dabc", "https%253A%252F%252Fhost%252Fp"],
    ["AuthToken='abc', b='c'", "AuthToken='[hidden]', b='c'"],
    ["<a><AuthToken>abc</AuthToken><b>c</b></a>", "<a><AuthToken>[hidden]</AuthToken><b>c</b></a>"],
    ["see host.aliyuncs.com/x?Signature=abc now", "see host.aliyuncs.com/x now"],
  ])("%s becomes %s", (before, after) => expect(cleanMeta({ Text: before })).toEqual({ Text: after }));
});

describe("harmless text", () => {
  it.each([
    "100% sure, 50%25 off, a=b and c == d; x&y=z",
    "https%3A%2F%2Fhost%2Fp%3Fpage%3D2",
    "Ask for the token. A token: is one word; tokens = many",
    "SELECT * FROM t WHERE a='b' AND c=\"d\" -- what?",
    "// me@example.com: a comment, and host.example/x?page=2#part",
    "<b>bold</b> &lt;i&gt; &amp; C:\\users\\u0041",
    "Expires=soon; the signature = yours",
  ])("%s stays", (text) => expect(cleanMeta({ Text: text })).toEqual({ Text: text }));

  it("of any words, numbers and signs stays", () => {
    const harmless = fc
      .array(fc.oneof(word, fc.constantFrom("%", "=", "?", "#", "a=b", "%20", "q?x=1", "\\u0041", "@", "a@b.c")))
      .map((words) => words.join(" "))
      .filter((text) => !/token|:\/\//i.test(text));
    fc.assert(fc.property(harmless, (text) => cleanMeta({ text }).text === text));
  });
});
