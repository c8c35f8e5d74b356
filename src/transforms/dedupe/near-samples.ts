import {
  ANSWER_WORDS,
  bandsFor,
  differentBits,
  equalBytes,
  leastEqual,
  mostDifferent,
  SIGNATURE_WORDS,
  type Signature,
} from "./minhash.ts";
import { Chains, Rows } from "./store.ts";

/** How many samples with an equal band are compared, newest first: if more share it, it is only the agent's script. */
const MOST_COMPARED = 1000;

/** Signatures of samples, to find those that are alike. */
export class NearSamples {
  readonly #bands: number;
  readonly #least: number;
  readonly #most: number;
  readonly #signatures = new Rows(SIGNATURE_WORDS);
  readonly #byBand: Chains;
  /** Absent if answers are not compared. */
  readonly #answers: Rows | undefined;
  readonly #numbers = new Rows(1);

  /** @param answers whether samples must be alike in their answers, too */
  constructor(threshold: number, answers: boolean) {
    const { bands, words } = bandsFor(threshold);
    this.#bands = bands;
    this.#least = leastEqual(threshold);
    this.#most = mostDifferent(threshold);
    this.#byBand = new Chains(this.#signatures, bands, words);
    if (answers) this.#answers = new Rows(ANSWER_WORDS);
  }

  /** @param number of the sample, larger than those before */
  add({ words, answer }: Signature, number: number): void {
    this.#signatures.push(words);
    this.#byBand.add();
    this.#answers?.push(answer);
    this.#numbers.push([number]);
  }

  /** The number of the earliest sample that is alike. */
  find(signature: Signature): number | undefined {
    let earliest: number | undefined;
    for (let band = 0; band < this.#bands; band++) {
      let left = MOST_COMPARED;
      this.#byBand.find(signature.words, band, (row) => {
        if ((earliest === undefined || row < earliest) && this.#isAlike(signature, row)) earliest = row;
        return --left > 0 ? "on" : "stop";
      });
    }
    return earliest === undefined ? undefined : this.#numbers.piece(earliest)[this.#numbers.at(earliest)];
  }

  #isAlike({ words, answer }: Signature, row: number): boolean {
    const stored = { words: this.#signatures.piece(row), at: this.#signatures.at(row) };
    if (equalBytes({ words, at: 0 }, stored) < this.#least) return false;
    if (!this.#answers) return true;
    const answers = { words: this.#answers.piece(row), at: this.#answers.at(row) };
    return differentBits({ words: answer, at: 0 }, answers) <= this.#most;
  }
}
