/**
Collects what arrives while a write is under way into the next one.

The caller's promise settles when its own piece is written, so at most one piece a worker is ever held.
*/
export const inBatches = <T>(write: (batch: T[]) => Promise<void>): ((piece: T) => Promise<void>) => {
  let waiting: T[] = [];
  let next: Promise<void> | undefined;
  let current: Promise<void> = Promise.resolve();
  return (piece) => {
    waiting.push(piece);
    next ??= current
      .catch(() => undefined) // Its own callers were told.
      .then(() => {
        const batch = waiting;
        waiting = [];
        next = undefined;
        current = write(batch);
        return current;
      });
    return next;
  };
};
