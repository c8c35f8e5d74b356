/**
Runs `work` over what `items` yields, at most `concurrency` at once, in the order of intake.

Begins with one and widens by one with each success: a run that cannot succeed (a wrong secret, say) ends after one
call, not after as many as fit, and a service is not met with a burst.

When `work` or `items` throws, nothing more is taken in, what runs is waited for, and the first error is thrown.
`closing` stops the intake in the same way without an error, also while `items` is slow to yield. Holds only what is
running: no list of results, and no promise that outlives its item.
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
    // Nothing can call wake between here and the assignment: all of it is in one turn of the event loop.
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  closing?.removeEventListener("abort", onClosing);
  // Not waited for: an intake that hangs (a silent pipe) would hold up the end.
  if (!ended) void iterator.return?.(undefined)?.catch(() => undefined);
  if (failures.length > 0) throw failures[0];
};
