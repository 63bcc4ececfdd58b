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

  /** In no order that means anything. */
  keys(): Uint32Array {
    const keys = new Uint32Array(this.size);
    let at = 0;
    for (let i = 0; i < this.#entries.length; i += 2) if (this.#entries[i] !== 0) keys[at++] = this.#entries[i]!;
    return keys;
  }

  /** As it is, empty entries and all: so what did not change stands where it stood. */
  snapshot(): Uint32Array {
    return this.#entries.slice();
  }

  restore(saved: Uint32Array): void {
    this.#entries = saved.slice();
    this.size = 0;
    for (let i = 0; i < saved.length; i += 2) if (saved[i] !== 0) this.size++;
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
