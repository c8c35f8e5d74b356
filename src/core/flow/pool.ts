/**
Runs `work` for each item, started in the order of `items`, at most `concurrency` at a time.

Starts with one item and allows one more after each success. So a run with a wrong secret ends after one call, and the
service gets no burst of requests at the start.

When `work` or `items` throws, no further item is taken; running work is awaited, and the first error is thrown.
`closing` stops the intake in the same way without an error, even while `items` is slow to yield. Memory holds only
the running items.
*/
export const forEachConcurrent = async <T>(
  items: AsyncIterable<T>,
  concurrency: number,
  work: (item: T) => Promise<void>,
  closing?: AbortSignal,
): Promise<void> => {
  const iterator = items[Symbol.asyncIterator]();
  const failures: unknown[] = [];
  let running = 0;
  let width = 1;
  let isTaking = false;
  let ended = false;
  let wake = (): void => {};
  const addFailure = (error: unknown): void => void failures.push(error);

  const run = async (item: T): Promise<void> => {
    running += 1;
    try {
      await work(item);
      width = Math.min(concurrency, width + 1);
    } catch (error) {
      addFailure(error);
    }
    running -= 1;
    wake();
  };
  const takeNext = async (): Promise<void> => {
    isTaking = true;
    try {
      const { value, done } = await iterator.next();
      if (done) ended = true;
      else if (!stopped()) void run(value);
    } catch (error) {
      addFailure(error);
    }
    isTaking = false;
    wake();
  };
  const stopped = (): boolean => failures.length > 0 || closing?.aborted === true;

  const onClosing = (): void => wake();
  closing?.addEventListener("abort", onClosing);
  while (running > 0 || !(ended || stopped())) {
    if (!isTaking && !ended && !stopped() && running < width) void takeNext();
    // No `wake` is lost: this runs in one turn of the event loop, up to the assignment.
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  closing?.removeEventListener("abort", onClosing);
  // Not awaited: an intake that hangs (a silent pipe) would delay the end.
  if (!ended) void iterator.return?.(undefined)?.catch(() => undefined);
  if (failures.length > 0) throw failures[0];
};
