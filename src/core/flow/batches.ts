export interface BatchOptions<T> {
  /** One at a time. */
  write: (batch: T[]) => Promise<void>;
  /** A batch is written when it has so many pieces, */
  maxCount: number;
  /** or so much in all, by `sizeOf`, */
  maxSize: number;
  sizeOf: (piece: T) => number;
  /** or when its first piece has waited so long, in milliseconds. */
  maxDelayMs: number;
}

export interface Batches<T> {
  /** Settles at once while there is room: at most one batch waits for another to be written. Throws what `write` threw. */
  add(piece: T): Promise<void>;
  /** Everything is written. Throws what `write` threw. */
  flush(): Promise<void>;
}

/** Collects pieces that come one by one, from many sides, into batches. */
export const inBatches = <T>({ write, maxCount, maxSize, sizeOf, maxDelayMs }: BatchOptions<T>): Batches<T> => {
  let waiting: T[] = [];
  let size = 0;
  let writing: Promise<void> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failure: { error: unknown } | undefined;

  const isFull = (): boolean => waiting.length >= maxCount || size >= maxSize;
  let isOverdue = false;
  const startWrite = (): void => {
    clearTimeout(timer);
    timer = undefined;
    isOverdue = writing !== undefined;
    if (writing || waiting.length === 0) return;
    const batch = waiting;
    waiting = [];
    size = 0;
    writing = write(batch)
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => {
        writing = undefined;
        schedule();
      });
  };
  const schedule = (): void => {
    if (isFull() || (isOverdue && !writing)) startWrite();
    else if (waiting.length > 0) timer ??= setTimeout(startWrite, maxDelayMs);
  };
  const throwFailure = (): void => {
    if (failure) throw failure.error;
  };
  return {
    add: async (piece) => {
      throwFailure();
      waiting.push(piece);
      size += sizeOf(piece);
      schedule();
      while (isFull() && writing) await writing;
      throwFailure();
    },
    flush: async () => {
      while (writing || waiting.length > 0) {
        startWrite();
        await writing;
      }
      throwFailure();
    },
  };
};
