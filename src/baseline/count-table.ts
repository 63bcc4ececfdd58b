/** An entry is three words, side by side: key, events, identities. So a look-up costs one line of the processor's cache and not three. */
const words = 3;

/**
 * Decayed counts of hashed values: how many events, and how many identities, used a value. Open addressing over typed arrays.
 * At its limit everything is halved and what falls below one half is forgotten, so the rarest values go first.
 */
export class CountTable {
  readonly limit: number;
  size = 0;
  #slots: number;
  #keys: Uint32Array;
  #counts: Float32Array;

  constructor(limit: number, initial = 1024) {
    this.limit = limit;
    this.#slots = initial;
    this.#keys = new Uint32Array(initial * words);
    this.#counts = new Float32Array(this.#keys.buffer);
  }

  get bytes(): number {
    return this.#keys.byteLength;
  }

  events(key: number): number {
    return this.#counts[this.#find(key) + 1]!;
  }

  identities(key: number): number {
    return this.#counts[this.#find(key) + 2]!;
  }

  /** Where a value's counts stand, until something is added: to ask for both is one look. */
  placeOf(key: number): number {
    return this.#find(key);
  }

  eventsAt(place: number): number {
    return this.#counts[place + 1]!;
  }

  identitiesAt(place: number): number {
    return this.#counts[place + 2]!;
  }

  /** Returns how many events the value had before. */
  add(key: number, events: number, identities: number): number {
    let entry = this.#find(key);
    if (this.#keys[entry] === 0) {
      if ((this.size + 1) * 3 > this.#slots * 2) {
        this.#grow();
        entry = this.#find(key);
      }
      this.#keys[entry] = key;
      this.size++;
    }
    const before = this.#counts[entry + 1]!;
    this.#counts[entry + 1] = before + events;
    this.#counts[entry + 2] = this.#counts[entry + 2]! + identities;
    return before;
  }

  /**
   * Adds all of another table, each value under the key that `keyOf` gives it. Room for what is new is made before: so nothing depends on the
   * order in which the other table holds its values, which says who came first and how often it grew.
   */
  join(other: CountTable, keyOf: (key: number) => number = (key) => key): void {
    const isFull = (more: number): boolean => (this.size + more) * 3 > this.limit * 2;
    while (this.size > 0 && isFull(other.size) && isFull(this.#missing(other, keyOf)))
      this.#rebuild(this.#slots, 0.5, 0.5);
    other.forEach((key, events, identities) => {
      this.add(keyOf(key), events, identities);
    });
  }

  #missing(other: CountTable, keyOf: (key: number) => number): number {
    let missing = 0;
    other.forEach((key) => {
      if (this.#keys[this.#find(keyOf(key))] === 0) missing++;
    });
    return missing;
  }

  /** Multiplies every count; values with less than `least` events left are forgotten. */
  scale(factor: number, least: number): void {
    this.#rebuild(this.#slots, factor, least);
  }

  forEach(visit: (key: number, events: number, identities: number) => void): void {
    const keys = this.#keys;
    const counts = this.#counts;
    for (let i = 0; i < keys.length; i += words) if (keys[i] !== 0) visit(keys[i]!, counts[i + 1]!, counts[i + 2]!);
  }

  /** As it is, empty entries and all: so what did not change stands where it stood. */
  snapshot(): Uint32Array {
    return this.#keys.slice();
  }

  restore(saved: Uint32Array): void {
    this.#keys = saved.slice();
    this.#counts = new Float32Array(this.#keys.buffer);
    this.#slots = saved.length / words;
    this.size = 0;
    for (let i = 0; i < saved.length; i += words) if (saved[i] !== 0) this.size++;
  }

  clear(): void {
    this.#keys.fill(0);
    this.size = 0;
  }

  /** Where the key's entry begins, or the empty one where it belongs. An empty one is all zeros. */
  #find(key: number): number {
    const keys = this.#keys;
    const mask = this.#slots - 1;
    let slot = Math.imul(key, 0x9e3779b1) >>> 0;
    slot = (slot ^ (slot >>> 15)) & mask;
    while (keys[slot * words] !== 0 && keys[slot * words] !== key) slot = (slot + 1) & mask;
    return slot * words;
  }

  #grow(): void {
    if (this.#slots < this.limit) this.#rebuild(this.#slots * 2, 1, 0);
    else while ((this.size + 1) * 3 > this.#slots * 2) this.#rebuild(this.#slots, 0.5, 0.5);
  }

  #rebuild(slots: number, factor: number, least: number): void {
    const keys = this.#keys;
    const counts = this.#counts;
    this.#slots = slots;
    this.#keys = new Uint32Array(slots * words);
    this.#counts = new Float32Array(this.#keys.buffer);
    this.size = 0;
    for (let i = 0; i < keys.length; i += words) {
      if (keys[i] === 0 || counts[i + 1]! * factor < least) continue;
      const entry = this.#find(keys[i]!);
      this.#keys[entry] = keys[i]!;
      this.#counts[entry + 1] = counts[i + 1]! * factor;
      this.#counts[entry + 2] = counts[i + 2]! * factor;
      this.size++;
    }
  }
}
