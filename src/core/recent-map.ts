/**
 * A map of what was used last: at most `max` entries, and at least the `max / 2` used last. An entry that is used again is not moved: a Map whose
 * entries are taken out and put in again at each use makes itself anew all the time, and each time leaves memory behind that only a full
 * collection frees.
 */
export class RecentMap<V> {
  readonly #half: number;
  #recent = new Map<string, V>();
  #before: Map<string, V> = new Map();

  constructor(max: number) {
    this.#half = Math.max(1, Math.floor(max / 2));
  }

  get(key: string): V | undefined {
    const value = this.#recent.get(key);
    if (value !== undefined) return value;
    const older = this.#before.get(key);
    if (older === undefined) return undefined;
    this.#before.delete(key);
    this.set(key, older);
    return older;
  }

  set(key: string, value: V): void {
    if (this.#recent.size >= this.#half && !this.#recent.has(key)) {
      this.#before = this.#recent;
      this.#recent = new Map();
    }
    this.#before.delete(key);
    this.#recent.set(key, value);
  }

  *values(): Generator<V> {
    yield* this.#before.values();
    yield* this.#recent.values();
  }
}
