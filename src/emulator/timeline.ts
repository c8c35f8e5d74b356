import { lowerBound } from "./lower-bound.ts";

/** Items in the order of their times (whole milliseconds); of equal times, the one added first comes first. */
export class Timeline<T extends { readonly at: number }> {
  readonly #items: T[] = [];

  add(item: T): void {
    this.#items.splice(this.#from(item.at + 1), 0, item);
  }

  /** The items from `since` to `until`, both included. */
  between(since: number, until: number): T[] {
    return this.#items.slice(this.#from(since), this.#from(until + 1));
  }

  all(): readonly T[] {
    return this.#items;
  }

  #from(at: number): number {
    return lowerBound(this.#items.length, (index) => this.#items[index]?.at ?? 0, at);
  }
}
