import fc from "fast-check";
import { expect, test } from "vitest";
import { Crc64 as EmulatorCrc64 } from "../../src/emulator/crc64.ts";
import { Crc64 } from "../../src/http/crc64.ts";

const crcOf = (...pieces: Uint8Array[]): string => {
  const crc = new Crc64();
  for (const piece of pieces) crc.update(piece);
  return crc.digest();
};

// Check value of CRC-64/XZ in the catalogue of parametrised CRC algorithms.
test("the check value is that of CRC-64/XZ", () => {
  expect(crcOf(Buffer.from("123456789"))).toBe(String(0x995dc9bbdf1939fan));
  expect(crcOf()).toBe("0");
});

test("pieces give the checksum of the whole, which the emulator computes too, another way", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), fc.nat(100_000), (bytes, cut, zeros) => {
      const expected = new EmulatorCrc64().update(bytes).zeros(zeros).digest();
      expect(crcOf(bytes.subarray(0, cut), bytes.subarray(cut), new Uint8Array(zeros))).toBe(expected);
    }),
  );
});
