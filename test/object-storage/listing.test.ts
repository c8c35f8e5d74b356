import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { ArchiveError } from "../../src/core/errors.ts";
import { parseListing } from "../../src/object-storage/listing.ts";

const contents = (key: string, size = "5", at = "2025-07-15T08:00:00.000Z"): string =>
  `<Contents><Key>${key}</Key><LastModified>${at}</LastModified><ETag>"x"</ETag><Size>${size}</Size></Contents>`;
const page = (...inner: string[]): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="x">\n${inner.join("\n")}\n</ListBucketResult>\n`;
const keysIn = (xml: string): string[] => parseListing("records", xml).objects.map(({ key }) => key);
const ENCODED = "<EncodingType>url</EncodingType>";

test("a page is read: objects, and where the next one begins", () => {
  const xml = page(
    ENCODED,
    "<IsTruncated>true</IsTruncated>",
    "<NextContinuationToken>a&amp;b</NextContinuationToken>",
    contents("a%2Fb+c%2B.wav"),
  );
  expect(parseListing("records", xml)).toEqual({
    objects: [{ bucket: "records", key: "a/b c+.wav", bytes: 5, modifiedAt: new Date("2025-07-15T08:00:00Z") }],
    next: "a&b",
  });
});

test("the last page has no next one, whatever token it names", () => {
  const xml = page("<IsTruncated>false</IsTruncated>", "<NextContinuationToken>t</NextContinuationToken>");
  expect(parseListing("records", xml)).toEqual({ objects: [] });
});

test("keys that are not encoded are XML text", () => {
  expect(keysIn(page(contents("a+b%20&lt;&#38;&#x4e00;&apos;&quot;&unknown;")))).toEqual([`a+b%20<&一'"&unknown;`]);
});

test("what is no object is left out", () => {
  const odd = [
    contents(""),
    contents("%2Froot"),
    contents("%zz"),
    contents("x".repeat(1024)),
    contents("size", "many"),
    contents("size", "-1"),
    contents("size", ""),
    contents("time", "5", "yesterday"),
    "<Contents/>",
    "<Contents></Contents>",
    contents("..%2F..%2Fetc"),
  ];
  expect(keysIn(page(ENCODED, ...odd))).toEqual(["../../etc"]);
});

describe("refused", () => {
  it.each([
    ["", "nothing"],
    ["{}", "JSON"],
    ["<html><body>", "HTML"],
    ["<Error><Code>x</Code></Error>", "another document"],
    ['<!DOCTYPE x [<!ENTITY a "aaaa">]><ListBucketResult>&a;</ListBucketResult>', "a type declaration"],
    ["<ListBucketResult><![CDATA[x]]></ListBucketResult>", "CDATA"],
    ["<ListBucketResult><Contents></ListBucketResult>", "an element that is not closed"],
    ["<ListBucketResult></ListBucketResult></ListBucketResult>", "an element closed twice"],
    ["<ListBucketResult/><ListBucketResult/>", "two documents"],
    ["<ListBucketResult><", "an end in the middle"],
    [`${"<a>".repeat(100_000)}`, "a tower"],
  ])("%.40s: %s", (xml) => {
    expect(() => parseListing("records", xml)).toThrow(ArchiveError);
  });

  it("text from anywhere, without any other error", () => {
    const piece = fc.constantFrom(
      "<",
      ">",
      "/",
      "<a>",
      "</a>",
      "<ListBucketResult>",
      "</ListBucketResult>",
      "&#x110000;",
      "x",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((pieces) => pieces.join("")),
        ),
        (xml) => {
          try {
            parseListing("records", xml);
          } catch (error) {
            expect(error).toBeInstanceOf(ArchiveError);
          }
        },
      ),
    );
  });
});
