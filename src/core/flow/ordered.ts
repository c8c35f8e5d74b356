export interface OrderedOptions<T> {
  /** How many items may be in work beside the one that is awaited. */
  ahead: number;
  /** Largest sum of `sizeOf` in work at one time; a single larger item runs alone. */
  maxSize: number;
  sizeOf: (item: T) => number;
}

/**
Yields the results of `work` in the order of the items, with several items in work at a time.

The first error ends it. Running work is then abandoned, and its rejections are ignored.
*/
export async function* inOrder<T, R>(
  items: AsyncIterable<T>,
  { ahead, maxSize, sizeOf }: OrderedOptions<T>,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const running: { result: Promise<R>; size: number }[] = [];
  let sum = 0;
  const takeFirst = (): Promise<R> => {
    const { result, size } = running.shift() as { result: Promise<R>; size: number };
    sum -= size;
    return result;
  };
  for await (const item of items) {
    const size = sizeOf(item);
    while (running.length > 0 && sum + size > maxSize) yield await takeFirst();
    const result = work(item);
    result.catch(() => undefined);
    running.push({ result, size });
    sum += size;
    if (running.length > ahead) yield await takeFirst();
  }
  while (running.length > 0) yield await takeFirst();
}
