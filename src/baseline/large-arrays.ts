/**
 * The common state of a shard is megabytes of tables, of which a checkpoint finds a small part changed. So a checkpoint takes the large arrays
 * out of it and writes of each only those blocks that are not as they were written last; what was never written counts as zeros.
 *
 * In: plain objects and lists with typed arrays in them. Out: the same with empty arrays in the place of the large ones, and blocks.
 */

/** In 32-bit words: an array of less travels with the rest, and what differs within a block travels as a whole. */
const largeMin = 1024;
const blockWords = 16;
/** A longer list is a list of events or of findings, and holds no tables. */
const listMax = 512;

type LargeArray = Uint32Array | Int32Array | Float32Array | Float64Array | Uint8Array;
type Tree = { [name: string]: unknown };

/** The blocks of one array that changed: their numbers, and their words one after the other. `length` is the array's, in words; one that is gone has none. */
export type ArrayChange = {
  readonly path: string;
  readonly length: number;
  readonly blocks: Uint32Array;
  readonly words: Uint32Array;
};

export class LargeArrays {
  /** As written last, by where they stand. */
  #written = new Map<string, Uint32Array>();

  get bytes(): number {
    let bytes = 0;
    for (const { byteLength } of this.#written.values()) bytes += byteLength;
    return bytes;
  }

  clear(): void {
    this.#written.clear();
  }

  /** What changed since the last call, and the rest. The arrays of `state` must be copies, for they are kept. */
  take(state: object): { readonly changes: readonly ArrayChange[]; readonly rest: unknown } {
    const found = new Map<string, Uint32Array>();
    const rest = emptied(state, '', found);
    const changes: ArrayChange[] = [];
    for (const path of new Set([...this.#written.keys(), ...found.keys()])) {
      const before = this.#written.get(path) ?? nothing;
      const now = found.get(path) ?? nothing;
      const change = changeOf(path, before, now);
      if (change.blocks.length > 0 || before.length !== now.length) changes.push(change);
    }
    this.#written = found;
    return { changes, rest };
  }

  put(changes: readonly ArrayChange[]): void {
    for (const { path, length, blocks, words } of changes) {
      const array = resized(this.#written.get(path) ?? nothing, length);
      for (let i = 0; i < blocks.length; i++) {
        const start = blocks[i]! * blockWords;
        array.set(words.subarray(i * blockWords, i * blockWords + Math.min(blockWords, length - start)), start);
      }
      if (length > 0) this.#written.set(path, array);
      else this.#written.delete(path);
    }
  }

  /** The whole common state again. Its arrays are the ones that are kept: whoever goes on with it copies them. */
  fill(rest: unknown): unknown {
    for (const [path, array] of this.#written) {
      const names = path.split('.');
      const last = names.pop()!;
      const parent = names.slice(1).reduce((at, name) => at[name] as Tree, rest as Tree);
      const Kind = (parent[last] as LargeArray).constructor as new (buffer: ArrayBufferLike) => LargeArray;
      parent[last] = new Kind(array.buffer);
    }
    return rest;
  }
}

const nothing = new Uint32Array(0);

function emptied(value: unknown, path: string, found: Map<string, Uint32Array>): unknown {
  if (ArrayBuffer.isView(value)) {
    const { buffer, byteLength } = value as LargeArray;
    if (byteLength < largeMin * 4 || byteLength % 8 !== 0 || buffer.byteLength !== byteLength) return value;
    found.set(path, new Uint32Array(buffer));
    return new ((value as LargeArray).constructor as new (length: number) => LargeArray)(0);
  }
  if (Array.isArray(value))
    return value.length > listMax ? value : value.map((each, i) => emptied(each, `${path}.${i}`, found));
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  const copy: Tree = {};
  for (const [name, each] of Object.entries(value)) copy[name] = emptied(each, `${path}.${name}`, found);
  return copy;
}

function changeOf(path: string, before: Uint32Array, now: Uint32Array): ArrayChange {
  const blocks: number[] = [];
  for (let start = 0; start < now.length; start += blockWords)
    if (!isSame(before, now, start)) blocks.push(start / blockWords);
  const words = new Uint32Array(blocks.length * blockWords);
  // Word by word: a view of each of a hundred thousand blocks costs more than what it copies. The last block may be cut short.
  for (let i = 0, to = 0; i < blocks.length; i++) {
    const start = blocks[i]! * blockWords;
    for (let k = 0; k < blockWords; k++) words[to++] = now[start + k] ?? 0;
  }
  return { path, length: now.length, blocks: Uint32Array.from(blocks), words };
}

function isSame(before: Uint32Array, now: Uint32Array, start: number): boolean {
  const end = Math.min(start + blockWords, now.length);
  const held = Math.max(start, Math.min(end, before.length));
  for (let i = start; i < held; i++) if (before[i] !== now[i]) return false;
  for (let i = held; i < end; i++) if (now[i] !== 0) return false;
  return true;
}

/** Of this length: what is new is zeros, and what is beyond it is forgotten. */
function resized(array: Uint32Array, length: number): Uint32Array {
  if (array.length === length) return array;
  const to = new Uint32Array(length);
  to.set(array.subarray(0, length));
  return to;
}
