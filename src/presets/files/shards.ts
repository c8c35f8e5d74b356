/**
Which file of its split each row goes to when no file may be larger than `limit` bytes: filled one after the other. A row
that is larger than the limit has a file of its own. Without a limit there is one file.
*/
export const createShards = (limit = Number.POSITIVE_INFINITY) => {
  let shard = 0;
  let filled = 0;
  return {
    /** The number of the file, from 0, for a row of so many bytes. */
    place: (bytes: number): number => {
      if (filled > 0 && filled + bytes > limit) {
        shard += 1;
        filled = 0;
      }
      filled += bytes;
      return shard;
    },
    /** How many files there are so far: 0 when there was no row, for readers of folders crash on empty files. */
    get count() {
      return filled === 0 ? 0 : shard + 1;
    },
  };
};

/**
`train.jsonl`, or of several `train-00000-of-00004.jsonl`: names by which readers of folders know the split.

@param extension with its dot, for example `.jsonl.gz`.
*/
export const shardName = (split: string, extension: string, shard = 0, of = 1): string =>
  of === 1 ? `${split}${extension}` : `${split}-${digits(shard)}-of-${digits(of)}${extension}`;

const digits = (number: number): string => String(number).padStart(5, "0");
