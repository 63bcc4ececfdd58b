import { KeyIndex } from './key-index.ts';

/** Objects remembered in each of the two generations, and touched in a frame: what more it touches is nobody's yet. */
const generationMax = 1 << 17;

export type OwnersSnapshot = {
  readonly young: Uint32Array;
  readonly old: Uint32Array;
  readonly pending: Uint32Array;
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
  #young = new KeyIndex();
  #old = new KeyIndex();
  #pending = new KeyIndex();
  /** Touches by everyone of known, free and foreign objects. */
  readonly touches = Float64Array.of(1, 1, 1);
  readonly #pendingTouches = new Float64Array(3);

  get bytes(): number {
    return this.#young.bytes + this.#old.bytes + this.#pending.bytes;
  }

  /** 0 for an object that nobody has touched, `shared`, or the hash of its only identity. */
  owner(object: number): number {
    const young = this.#young.get(object);
    return young >= 0 ? young : Math.max(0, this.#old.get(object));
  }

  touch(object: number, identity: number, whose: number): void {
    this.#pendingTouches[whose]! += 1;
    const before = this.#pending.get(object);
    if (before >= 0) {
      if (before !== identity) this.#pending.set(object, shared);
    } else if (this.#pending.size < generationMax) this.#pending.set(object, identity);
  }

  advance(): void {
    if (this.#pending.size === 0) return;
    for (let whose = 0; whose < 3; whose++) this.touches[whose]! += this.#pendingTouches[whose]!;
    this.#pendingTouches.fill(0);
    // In order of keys: where the generations change must not depend on who came first within the frame.
    const pending = this.#pending;
    this.#pending = new KeyIndex();
    for (const object of pending.keys().sort()) {
      const identity = pending.get(object);
      const before = this.owner(object);
      this.#young.set(object, before === 0 || before === identity ? identity : shared);
      if (this.#young.size < generationMax) continue;
      this.#old = this.#young;
      this.#young = new KeyIndex();
    }
  }

  snapshot(): OwnersSnapshot {
    return {
      ...{ young: this.#young.snapshot(), old: this.#old.snapshot(), pending: this.#pending.snapshot() },
      ...{ touches: this.touches.slice(), pendingTouches: this.#pendingTouches.slice() },
    };
  }

  restore(saved: OwnersSnapshot): void {
    this.touches.set(saved.touches);
    this.#pendingTouches.set(saved.pendingTouches);
    this.#young.restore(saved.young);
    this.#old.restore(saved.old);
    this.#pending.restore(saved.pending);
  }
}
