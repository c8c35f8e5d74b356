/** Gives each name once: a name that was given gets a number. */
export class Names {
  readonly #given: Set<string>;
  readonly #numbers = new Map<string, number>();

  constructor(given: Iterable<string>) {
    this.#given = new Set(given);
  }

  unique(name: string): string {
    let found = name;
    // The numbers go on where they ended, so many equal names take no longer than many others.
    for (let number = this.#numbers.get(name) ?? 1; this.#given.has(found); ) {
      number += 1;
      found = `${name}-${number}`;
      this.#numbers.set(name, number);
    }
    this.#given.add(found);
    return found;
  }
}
