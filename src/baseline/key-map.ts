import { KeyIndex } from './key-index.ts';

/** From 32-bit hashes (never 0) to values, in the order in which they came. A Map makes an object of most such keys, to keep it and at each look-up. */
export class KeyMap<V> {
  readonly #places = new KeyIndex();
  #keys: number[] = [];
  #values: V[] = [];

  get size(): number {
    return this.#keys.length;
  }

  get(key: number): V | undefined {
    const place = this.#places.get(key);
    return place < 0 ? undefined : this.#values[place];
  }

  /** For a key that is not there. */
  add(key: number, value: V): void {
    this.#places.set(key, this.#keys.length);
    this.#keys.push(key);
    this.#values.push(value);
  }

  entries(): [key: number, value: V][] {
    return this.#keys.map((key, i) => [key, this.#values[i]!]);
  }

  /** Only values that are wanted stay. */
  keep(isWanted: (value: V) => boolean): void {
    const kept = this.entries().filter(([, value]) => isWanted(value));
    this.clear();
    for (const [key, value] of kept) this.add(key, value);
  }

  clear(): void {
    this.#places.clear();
    this.#keys = [];
    this.#values = [];
  }
}
