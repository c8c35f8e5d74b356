/**
What `work` makes of each item, in the items' order; up to `ahead` are under way beside the one that is waited for.

The first error ends it. What is under way then is nobody's any more: its own errors are not heard.
*/
export async function* inOrder<T, R>(
  items: AsyncIterable<T>,
  ahead: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const coming: Promise<R>[] = [];
  for await (const item of items) {
    const result = work(item);
    result.catch(() => undefined);
    coming.push(result);
    if (coming.length > ahead) yield await (coming.shift() as Promise<R>);
  }
  for (const result of coming) yield await result;
}
