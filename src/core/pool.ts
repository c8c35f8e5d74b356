/**
Runs `work` over what `items` yields, at most `concurrency` at once, in the order of intake.

Begins with one and widens by one with each success: a run that cannot succeed (a wrong secret, say) ends after one
call, not after as many as fit, and a service is not met with a burst.

When `work` or `items` throws, nothing more is taken in, what runs is waited for, and the first error is thrown.
`closing` stops the intake in the same way without an error. Holds only what is running: no list of results.
*/
export const forEachConcurrent = async <T>(
  items: AsyncIterable<T>,
  concurrency: number,
  work: (item: T) => Promise<void>,
  closing?: AbortSignal,
): Promise<void> => {
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  let width = 1;
  const start = (item: T): void => {
    const one = work(item)
      .then(() => {
        width = Math.min(concurrency, width + 1);
      })
      .catch((error: unknown) => void failures.push(error))
      .finally(() => running.delete(one));
    running.add(one);
  };
  try {
    for await (const item of items) {
      if (closing?.aborted) break;
      start(item);
      if (running.size >= width) await Promise.race(running);
      if (failures.length > 0 || closing?.aborted) break;
    }
  } catch (error) {
    failures.push(error);
  }
  await Promise.all(running);
  if (failures.length > 0) throw failures[0];
};
