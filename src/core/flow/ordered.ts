export interface OrderedOptions<T> {
  /** So many are under way beside the one that is waited for, */
  ahead: number;
  /** or as many as make up so much by `sizeOf`, asked before `work` is. */
  maxSize: number;
  sizeOf: (item: T) => number;
}

/**
What `work` makes of each item, in the items' order, several under way at once.

The first error ends it. What is under way then is nobody's any more: its own errors are not heard.
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
