/** Objects remembered in each of the two generations, and touched in a frame: what more it touches is nobody's yet. */
const generationMax = 1 << 17;

type Generation = { keys: Uint32Array; owners: Uint32Array; size: number };

export type OwnersSnapshot = {
  readonly young: readonly [Uint32Array, Uint32Array];
  readonly old: readonly [Uint32Array, Uint32Array];
  readonly pending: readonly [Uint32Array, Uint32Array];
  readonly touches: Float64Array;
  readonly pendingTouches: Float64Array;
};

/** Whose an object is to the identity that touches it: known to it, new to it and nobody's (or everybody's), only ever somebody else's. */
export const known = 0;
export const free = 1;
export const foreign = 2;

/** Touched by more identities than one: nobody's. */
export const shared = 0xffffffff;

/**
 * Who touches an object: the one identity that ever did, or several. Keys and owners are 32-bit hashes (0 is kept for none). Two generations: at
 * its limit the young one becomes the old one and what only the old one knew is forgotten; what is touched again is young again. Reads see
 * the state as of the last `advance`; of several that touch an unknown object within a frame none is first: it is shared.
 */
export class ObjectOwners {
  #young: Generation = generation(1024);
  #old: Generation = generation(16);
  #pending: Generation = generation(1024);
  /** Touches by everyone of known, free and foreign objects. */
  readonly touches = Float64Array.of(1, 1, 1);
  readonly #pendingTouches = new Float64Array(3);

  get bytes(): number {
    return (this.#young.keys.length + this.#old.keys.length + this.#pending.keys.length) * 8;
  }

  /** 0 for an object that nobody has touched, `shared`, or the hash of its only identity. */
  owner(object: number): number {
    const slot = find(this.#young, object);
    if (this.#young.keys[slot] !== 0) return this.#young.owners[slot]!;
    return this.#old.owners[find(this.#old, object)]!;
  }

  touch(object: number, identity: number, whose: number): void {
    this.#pendingTouches[whose]! += 1;
    const { keys, owners, size } = this.#pending;
    const slot = find(this.#pending, object);
    if (keys[slot] !== 0) {
      if (owners[slot] !== identity) owners[slot] = shared;
    } else if (size < generationMax) put(this.#pending, object, identity);
  }

  advance(): void {
    if (this.#pending.size === 0) return;
    for (let whose = 0; whose < 3; whose++) this.touches[whose]! += this.#pendingTouches[whose]!;
    this.#pendingTouches.fill(0);
    // In order of keys: where the generations change must not depend on who came first within the frame.
    const pending = this.#pending;
    this.#pending = generation(1024);
    for (const object of packed(pending)[0].sort()) {
      const identity = pending.owners[find(pending, object)]!;
      const before = this.owner(object);
      put(this.#young, object, before === 0 || before === identity ? identity : shared);
      if (this.#young.size < generationMax) continue;
      this.#old = this.#young;
      this.#young = generation(1024);
    }
  }

  snapshot(): OwnersSnapshot {
    return {
      ...{ young: packed(this.#young), old: packed(this.#old), pending: packed(this.#pending) },
      ...{ touches: this.touches.slice(), pendingTouches: this.#pendingTouches.slice() },
    };
  }

  restore(saved: OwnersSnapshot): void {
    this.touches.set(saved.touches);
    this.#pendingTouches.set(saved.pendingTouches);
    this.#young = unpacked(saved.young);
    this.#old = unpacked(saved.old);
    this.#pending = unpacked(saved.pending);
  }
}

function generation(length: number): Generation {
  return { keys: new Uint32Array(length), owners: new Uint32Array(length), size: 0 };
}

/** The key's slot, or the empty one where it belongs. */
function find({ keys }: Generation, key: number): number {
  const mask = keys.length - 1;
  let slot = Math.imul(key, 0x9e3779b1) >>> 0;
  slot = (slot ^ (slot >>> 15)) & mask;
  while (keys[slot] !== 0 && keys[slot] !== key) slot = (slot + 1) & mask;
  return slot;
}

function put(into: Generation, key: number, owner: number): void {
  if ((into.size + 1) * 3 > into.keys.length * 2) grow(into);
  const slot = find(into, key);
  if (into.keys[slot] === 0) into.size++;
  into.keys[slot] = key;
  into.owners[slot] = owner;
}

function grow(of: Generation): void {
  const { keys, owners } = of;
  Object.assign(of, generation(keys.length * 2));
  for (let i = 0; i < keys.length; i++) if (keys[i] !== 0) put(of, keys[i]!, owners[i]!);
}

function packed({ keys, owners, size }: Generation): readonly [Uint32Array, Uint32Array] {
  const all: [Uint32Array, Uint32Array] = [new Uint32Array(size), new Uint32Array(size)];
  let at = 0;
  for (let i = 0; i < keys.length; i++) {
    if (keys[i] === 0) continue;
    all[0][at] = keys[i]!;
    all[1][at++] = owners[i]!;
  }
  return all;
}

function unpacked([keys, owners]: readonly [Uint32Array, Uint32Array]): Generation {
  const into = generation(1024);
  for (let i = 0; i < keys.length; i++) put(into, keys[i]!, owners[i]!);
  return into;
}
