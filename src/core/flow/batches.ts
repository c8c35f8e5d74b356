export interface BatchOptions<T> {
  /** Writes one batch; never called again before it has finished. */
  write: (batch: T[]) => Promise<void>;
  /** Pieces that make a batch full. */
  maxCount: number;
  /** Sum of `sizeOf` that makes a batch full. */
  maxSize: number;
  sizeOf: (piece: T) => number;
  /** A batch that is not full is written after this time, in milliseconds. */
  maxDelayMs: number;
}

export interface Batches<T> {
  /** Waits only while a full batch waits for another one to be written. Rejects with the error of `write`. */
  add(piece: T): Promise<void>;
  /** Writes everything that was added. Rejects with the error of `write`. */
  flush(): Promise<void>;
}

/** Collects pieces from concurrent callers into batches. */
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
