export type PackedIndex = readonly [keys: Uint32Array, numbers: Uint32Array];

/** From 32-bit hashes (never 0) to numbers. Open addressing in pairs of words: a Map keeps each such key as an object of its own. */
export class KeyIndex {
  size = 0;
  #entries = new Uint32Array(2 * 256);

  get bytes(): number {
    return this.#entries.byteLength;
  }

  /** -1 for a key that is not there. */
  get(key: number): number {
    const entry = this.#find(key);
    return this.#entries[entry] === 0 ? -1 : this.#entries[entry + 1]!;
  }

  set(key: number, value: number): void {
    if ((this.size + 1) * 3 > this.#entries.length) this.#grow();
    const entry = this.#find(key);
    if (this.#entries[entry] === 0) this.size++;
    this.#entries[entry] = key;
    this.#entries[entry + 1] = value;
  }

  /** Keys and numbers, in no order that means anything. */
  packed(): PackedIndex {
    const all: PackedIndex = [new Uint32Array(this.size), new Uint32Array(this.size)];
    let at = 0;
    for (let i = 0; i < this.#entries.length; i += 2) {
      if (this.#entries[i] === 0) continue;
      all[0][at] = this.#entries[i]!;
      all[1][at++] = this.#entries[i + 1]!;
    }
    return all;
  }

  load([keys, numbers]: PackedIndex): void {
    this.clear();
    for (let i = 0; i < keys.length; i++) this.set(keys[i]!, numbers[i]!);
  }

  clear(): void {
    this.#entries.fill(0);
    this.size = 0;
  }

  #find(key: number): number {
    const entries = this.#entries;
    const mask = entries.length - 2;
    const hash = Math.imul(key, 0x9e3779b1);
    let entry = ((hash ^ (hash >>> 15)) << 1) & mask;
    while (entries[entry] !== 0 && entries[entry] !== key) entry = (entry + 2) & mask;
    return entry;
  }

  #grow(): void {
    const before = this.#entries;
    this.#entries = new Uint32Array(before.length * 2);
    for (let i = 0; i < before.length; i += 2) {
      if (before[i] === 0) continue;
      const entry = this.#find(before[i]!);
      this.#entries[entry] = before[i]!;
      this.#entries[entry + 1] = before[i + 1]!;
    }
  }
}
