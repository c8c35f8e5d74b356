export interface OrderedOptions<T> {
  /** So many are under way beside the one that is waited for, */
  ahead: number;
  /** or as many as make up so much by `sizeOf`, asked before `work` is. */
  room: number;
  sizeOf: (item: T) => number;
}

/**
What `work` makes of each item, in the items' order, several under way at once.

The first error ends it. What is under way then is nobody's any more: its own errors are not heard.
*/
export async function* inOrder<T, R>(
  items: AsyncIterable<T>,
  { ahead, room, sizeOf }: OrderedOptions<T>,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const coming: { result: Promise<R>; size: number }[] = [];
  let sum = 0;
  const first = (): Promise<R> => {
    const { result, size } = coming.shift() as { result: Promise<R>; size: number };
    sum -= size;
    return result;
  };
  for await (const item of items) {
    const size = sizeOf(item);
    while (coming.length > 0 && sum + size > room) yield await first();
    const result = work(item);
    result.catch(() => undefined);
    coming.push({ result, size });
    sum += size;
    if (coming.length > ahead) yield await first();
  }
  while (coming.length > 0) yield await first();
}
