/** The polynomial of CRC-64/XZ (ECMA-182), reflected. Source: the catalogue of parametrised CRC algorithms. */
const POLYNOMIAL = 0xc96c5795d7870f42n;

/** A number of 64 bits as two halves, because BigInt is a hundred times slower. */
type Halves = [low: number, high: number];

/**
The remainders of each byte, at each of eight places: what a byte does to the checksum when 0 to 7 further bytes follow
it. So eight bytes are added at once.
*/
const makeTables = (): { low: Uint32Array; high: Uint32Array } => {
  const low = new Uint32Array(8 * 256);
  const high = new Uint32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let remainder = BigInt(byte);
    for (let place = 0; place < 8; place++) {
      for (let bit = 0; bit < 8; bit++) remainder = (remainder >> 1n) ^ (remainder & 1n ? POLYNOMIAL : 0n);
      low[place * 256 + byte] = Number(remainder & 0xffffffffn);
      high[place * 256 + byte] = Number(remainder >> 32n);
    }
  }
  return { low, high };
};

let tables: ReturnType<typeof makeTables> | undefined;

/** CRC-64/XZ of bytes that come in pieces. The check value of "123456789" is 0x995dc9bbdf1939fa. */
export class Crc64 {
  #state: Halves = [-1, -1];

  update(bytes: Uint8Array): void {
    tables ??= makeTables();
    this.#state = add(this.#state, bytes, tables.low, tables.high);
  }

  /** As a decimal number, as object stores write it in `x-oss-hash-crc64ecma`. */
  digest(): string {
    const [low, high] = this.#state;
    return String((BigInt(~high >>> 0) << 32n) | BigInt(~low >>> 0));
  }
}

/** A loop over plain variables and arrays, because this decides how fast a large file can be checked. */
const add = (state: Halves, bytes: Uint8Array, low: Uint32Array, high: Uint32Array): Halves => {
  let [a, b] = state;
  const whole = bytes.length - (bytes.length % 8);
  const at = (table: Uint32Array, index: number): number => table[index] as number;
  let i = 0;
  for (; i < whole; i += 8) {
    a ^= fourAt(bytes, i);
    b ^= fourAt(bytes, i + 4);
    const i7 = 1792 + (a & 0xff);
    const i6 = 1536 + ((a >>> 8) & 0xff);
    const i5 = 1280 + ((a >>> 16) & 0xff);
    const i4 = 1024 + (a >>> 24);
    const i3 = 768 + (b & 0xff);
    const i2 = 512 + ((b >>> 8) & 0xff);
    const i1 = 256 + ((b >>> 16) & 0xff);
    const i0 = b >>> 24;
    a = at(low, i7) ^ at(low, i6) ^ at(low, i5) ^ at(low, i4) ^ at(low, i3) ^ at(low, i2) ^ at(low, i1) ^ at(low, i0);
    b =
      at(high, i7) ^
      at(high, i6) ^
      at(high, i5) ^
      at(high, i4) ^
      at(high, i3) ^
      at(high, i2) ^
      at(high, i1) ^
      at(high, i0);
  }
  for (; i < bytes.length; i++) {
    const index = (a ^ (bytes[i] as number)) & 0xff;
    a = ((a >>> 8) | (b << 24)) ^ at(low, index);
    b = (b >>> 8) ^ at(high, index);
  }
  return [a, b];
};

/** Four bytes as a number, the lowest first. */
const fourAt = (bytes: Uint8Array, i: number): number =>
  (bytes[i] as number) |
  ((bytes[i + 1] as number) << 8) |
  ((bytes[i + 2] as number) << 16) |
  ((bytes[i + 3] as number) << 24);
