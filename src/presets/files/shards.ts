/**
Assigns rows to files of at most `limit` bytes, one file after the other. A row larger than the limit gets its own file.
Without a limit there is one file.
*/
export const createShards = (limit = Number.POSITIVE_INFINITY) => {
  let shard = 0;
  let filled = 0;
  return {
    /** The number of the file, from 0, for a row of this size. */
    place: (bytes: number): number => {
      if (filled > 0 && filled + bytes > limit) {
        shard += 1;
        filled = 0;
      }
      filled += bytes;
      return shard;
    },
    /** The number of files so far; 0 without rows, because readers of folders crash on empty files. */
    get count() {
      return filled === 0 ? 0 : shard + 1;
    },
  };
};

/**
`train.jsonl`, or with several files `train-00000-of-00004.jsonl`: readers of folders recognise the split by these names.

@param extension with its dot, for example `.jsonl.gz`.
*/
export const shardName = (split: string, extension: string, shard = 0, of = 1): string =>
  of === 1 ? `${split}${extension}` : `${split}-${digits(shard)}-of-${digits(of)}${extension}`;

const digits = (number: number): string => String(number).padStart(5, "0");
