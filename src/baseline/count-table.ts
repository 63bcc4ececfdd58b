export type CountEntries = {
  readonly keys: Uint32Array;
  readonly events: Float32Array;
  readonly identities: Float32Array;
};

/**
 * Decayed counts of hashed values: how many events, and how many identities, used a value. Open addressing over typed arrays.
 * At its limit everything is halved and what falls below one half is forgotten, so the rarest values go first.
 */
export class CountTable {
  readonly limit: number;
  size = 0;
  #keys: Uint32Array;
  #events: Float32Array;
  #identities: Float32Array;

  constructor(limit: number, initial = 1024) {
    this.limit = limit;
    this.#keys = new Uint32Array(initial);
    this.#events = new Float32Array(initial);
    this.#identities = new Float32Array(initial);
  }

  get bytes(): number {
    return this.#keys.byteLength * 3;
  }

  events(key: number): number {
    const slot = this.#slot(key);
    return this.#keys[slot] === 0 ? 0 : this.#events[slot]!;
  }

  identities(key: number): number {
    const slot = this.#slot(key);
    return this.#keys[slot] === 0 ? 0 : this.#identities[slot]!;
  }

  add(key: number, events: number, identities: number): void {
    let slot = this.#slot(key);
    if (this.#keys[slot] === 0) {
      if ((this.size + 1) * 3 > this.#keys.length * 2) {
        this.#grow();
        slot = this.#slot(key);
      }
      this.#keys[slot] = key;
      this.size++;
    }
    this.#events[slot] = this.#events[slot]! + events;
    this.#identities[slot] = this.#identities[slot]! + identities;
  }

  /**
   * Adds all of another table, each value under the key that `keyOf` gives it. Room for what is new is made before: so nothing depends on the
   * order in which the other table holds its values, which says who came first and how often it grew.
   */
  join(other: CountTable, keyOf: (key: number) => number = (key) => key): void {
    const isFull = (more: number): boolean => (this.size + more) * 3 > this.limit * 2;
    while (this.size > 0 && isFull(other.size) && isFull(this.#missing(other, keyOf)))
      this.#rebuild(this.#keys.length, 0.5, 0.5);
    other.forEach((key, events, identities) => {
      this.add(keyOf(key), events, identities);
    });
  }

  #missing(other: CountTable, keyOf: (key: number) => number): number {
    let missing = 0;
    other.forEach((key) => {
      if (this.#keys[this.#slot(keyOf(key))] === 0) missing++;
    });
    return missing;
  }

  /** Multiplies every count; values with less than `least` events left are forgotten. */
  scale(factor: number, least: number): void {
    this.#rebuild(this.#keys.length, factor, least);
  }

  forEach(visit: (key: number, events: number, identities: number) => void): void {
    for (let i = 0; i < this.#keys.length; i++) {
      if (this.#keys[i] !== 0) visit(this.#keys[i]!, this.#events[i]!, this.#identities[i]!);
    }
  }

  entries(): CountEntries {
    const entries = {
      keys: new Uint32Array(this.size),
      events: new Float32Array(this.size),
      identities: new Float32Array(this.size),
    };
    let at = 0;
    this.forEach((key, events, identities) => {
      entries.keys[at] = key;
      entries.events[at] = events;
      entries.identities[at++] = identities;
    });
    return entries;
  }

  load(entries: CountEntries): void {
    for (let i = 0; i < entries.keys.length; i++)
      this.add(entries.keys[i]!, entries.events[i]!, entries.identities[i]!);
  }

  clear(): void {
    this.#keys.fill(0);
    this.#events.fill(0);
    this.#identities.fill(0);
    this.size = 0;
  }

  #slot(key: number): number {
    const mask = this.#keys.length - 1;
    let slot = Math.imul(key, 0x9e3779b1) >>> 0;
    slot = (slot ^ (slot >>> 15)) & mask;
    while (this.#keys[slot] !== 0 && this.#keys[slot] !== key) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    if (this.#keys.length < this.limit) this.#rebuild(this.#keys.length * 2, 1, 0);
    else while ((this.size + 1) * 3 > this.#keys.length * 2) this.#rebuild(this.#keys.length, 0.5, 0.5);
  }

  #rebuild(length: number, factor: number, least: number): void {
    const keys = this.#keys;
    const events = this.#events;
    const identities = this.#identities;
    this.#keys = new Uint32Array(length);
    this.#events = new Float32Array(length);
    this.#identities = new Float32Array(length);
    this.size = 0;
    for (let i = 0; i < keys.length; i++) {
      if (keys[i] === 0 || events[i]! * factor < least) continue;
      const slot = this.#slot(keys[i]!);
      this.#keys[slot] = keys[i]!;
      this.#events[slot] = events[i]! * factor;
      this.#identities[slot] = identities[i]! * factor;
      this.size++;
    }
  }
}
