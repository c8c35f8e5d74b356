/** Scores that a command gave, by the digest of what it was asked. They can be lost: then it is asked again. */
export interface ScoreCache {
  /** The scores of those digests (SHA-256, hex) that it has. */
  get(digests: readonly string[]): Promise<Map<string, number>>;
  /** Keeps all of them or none. When this resolves, they survive the end of the process. */
  put(scores: ReadonlyMap<string, number>): Promise<void>;
  close(): Promise<void>;
}
