/**
 * Pairs seen lately (who came from where), as 32-bit hashes in two generations: when the younger is full or old, the older is forgotten.
 * What a frame adds becomes visible when it ends. A colliding pair (one in four billion per pair held) counts as seen.
 */
const limit = 1 << 18;
const generationMs = 30 * 86_400_000;

/** Hash of two hashes; the order matters; never 0. */
export function pairOf(first: number, second: number): number {
  let hash = Math.imul(first ^ (first >>> 15), 0x2c1b3c6d) ^ Math.imul(second ^ (second >>> 13), 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 14), 0x297a2d39);
  return (hash ^ (hash >>> 16)) >>> 0 || 1;
}

/** Open addressing; keys are hashes already. */
class Generation {
  size = 0;
  keys = new Uint32Array(1024);

  has(key: number): boolean {
    return this.keys[this.#slot(key)] !== 0;
  }

  add(key: number): void {
    const slot = this.#slot(key);
    if (this.keys[slot] !== 0) return;
    this.keys[slot] = key;
    this.size++;
    if (this.size * 3 <= this.keys.length * 2) return;
    const { keys } = this;
    this.keys = new Uint32Array(keys.length * 2);
    for (const each of keys) if (each !== 0) this.keys[this.#slot(each)] = each;
  }

  #slot(key: number): number {
    const mask = this.keys.length - 1;
    let slot = key & mask;
    while (this.keys[slot] !== 0 && this.keys[slot] !== key) slot = (slot + 1) & mask;
    return slot;
  }
}

export type PairSnapshot = {
  readonly generations: readonly Uint32Array[];
  readonly pending: Uint32Array;
  born: number;
};

export class PairSet {
  #young = new Generation();
  #old = new Generation();
  #pending = new Generation();
  #born = -1;

  get bytes(): number {
    return (this.#young.keys.length + this.#old.keys.length + this.#pending.keys.length) * 4;
  }

  has(pair: number): boolean {
    return this.#young.has(pair) || this.#old.has(pair);
  }

  /** Beyond the limit, what else the frame adds is not kept. */
  add(pair: number): void {
    if (this.#pending.size < limit) this.#pending.add(pair);
  }

  advance(ts: number): void {
    if (this.#born < 0) this.#born = ts;
    if (this.#pending.size > 0) {
      if (this.#young.size + this.#pending.size > limit || ts - this.#born > generationMs) this.#renew(ts);
      for (const key of this.#pending.keys) if (key !== 0) this.#young.add(key);
      this.#pending = new Generation();
    }
  }

  #renew(ts: number): void {
    this.#old = this.#young;
    this.#young = new Generation();
    this.#born = ts;
  }

  snapshot(): PairSnapshot {
    const keys = ({ keys }: Generation): Uint32Array => keys.filter((key) => key !== 0);
    return { generations: [keys(this.#young), keys(this.#old)], pending: keys(this.#pending), born: this.#born };
  }

  restore({ generations, pending, born }: PairSnapshot): void {
    [this.#young, this.#old, this.#pending] = [generations[0]!, generations[1]!, pending].map((keys) => {
      const generation = new Generation();
      for (const key of keys) generation.add(key);
      return generation;
    }) as [Generation, Generation, Generation];
    this.#born = born;
  }
}
