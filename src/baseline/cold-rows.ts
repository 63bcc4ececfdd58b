/**
 * Rows that the slab has no room for, by the hash of their identity. What is in here is also in the shard's state records, or will be
 * with the next checkpoint: it may be thrown away and is made again when the shard is restored. A day that ends while its identity is in here
 * counts in the alert budget when the identity returns.
 */
export type ColdRows = {
  /** Keeps a copy of the row. */
  readonly put: (high: number, low: number, row: Buffer) => void;
  /** The row, which is no longer in here afterwards. */
  readonly take: (high: number, low: number) => Buffer | undefined;
  readonly all: () => Iterable<Buffer>;
  readonly clear: () => void;
};
