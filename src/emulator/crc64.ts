// CRC-64/XZ (ECMA-182, reflected), as the object store computes it. Written apart from the client's, so that a mistake in
// one is found by the other: this one goes byte by byte, and jumps over zeros with matrices.

const POLYNOMIAL_LOW = 0xd7870f42;
const POLYNOMIAL_HIGH = 0xc96c5795;

/** The remainders of all bytes: low and high halves in turn. */
const table = new Uint32Array(512);
for (let byte = 0; byte < 256; byte++) {
  let [low, high] = [byte, 0];
  for (let bit = 0; bit < 8; bit++) {
    const carry = low & 1;
    low = (low >>> 1) | (high << 31);
    high >>>= 1;
    if (carry) [low, high] = [low ^ POLYNOMIAL_LOW, high ^ POLYNOMIAL_HIGH];
  }
  table[2 * byte] = low;
  table[2 * byte + 1] = high;
}

type State = [low: number, high: number];

/** What some zero bytes do to a state: where they take each of its 64 bits. */
type Operator = readonly State[];

const step = ([low, high]: State, byte: number): State => {
  const index = 2 * ((low ^ byte) & 0xff);
  return [((low >>> 8) | (high << 24)) ^ (table[index] ?? 0), (high >>> 8) ^ (table[index + 1] ?? 0)];
};

const apply = (operator: Operator, [low, high]: State): State => {
  const result: State = [0, 0];
  for (let bit = 0; bit < 64; bit++) {
    const isSet = bit < 32 ? (low >>> bit) & 1 : (high >>> (bit - 32)) & 1;
    const column = operator[bit];
    if (!isSet || !column) continue;
    result[0] ^= column[0];
    result[1] ^= column[1];
  }
  return result;
};

/** The operators of 1, 2, 4, … zero bytes, as far as they were needed. */
const operators: Operator[] = [
  Array.from({ length: 64 }, (_, bit) => step(bit < 32 ? [1 << bit, 0] : [0, 1 << (bit - 32)], 0)),
];

const operatorOf = (power: number): Operator => {
  const known = operators[power];
  if (known) return known;
  const half = operatorOf(power - 1);
  const doubled = half.map((column) => apply(half, column));
  operators[power] = doubled;
  return doubled;
};

/** The checksum of bytes that come in pieces. */
export class Crc64 {
  #state: State = [-1, -1];

  update(bytes: Uint8Array): this {
    for (const byte of bytes) this.#state = step(this.#state, byte);
    return this;
  }

  /** As `update` with so many zero bytes. */
  zeros(count: number): this {
    for (let power = 0, rest = count; rest > 0; power++, rest = Math.floor(rest / 2))
      if (rest % 2 === 1) this.#state = apply(operatorOf(power), this.#state);
    return this;
  }

  /** As a decimal number, as in the header `x-oss-hash-crc64ecma`. */
  digest(): string {
    const [low, high] = this.#state.map((half) => BigInt(~half >>> 0));
    return String(((high ?? 0n) << 32n) | (low ?? 0n));
  }
}
