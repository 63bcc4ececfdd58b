import type { Actor } from './world.ts';

/** Actors by the time at which they want to go on; at the same time, the one who asked first goes first. A binary heap. */
export class Timeline {
  readonly #times: number[] = [];
  readonly #turns: number[] = [];
  readonly #actors: Actor[] = [];
  #turn = 0;

  add(actor: Actor, atMs: number): void {
    const turn = this.#turn++;
    let i = this.#times.length;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (this.#times[parent]! <= atMs) break;
      this.#move(parent, i);
      i = parent;
    }
    this.#times[i] = atMs;
    this.#turns[i] = turn;
    this.#actors[i] = actor;
  }

  /** The time of the next turn; infinite when nobody waits. */
  get nextMs(): number {
    return this.#times[0] ?? Number.POSITIVE_INFINITY;
  }

  /** The actor whose turn it is. Throws when nobody waits. */
  take(): Actor {
    const actor = this.#actors[0];
    if (actor === undefined) throw new RangeError('nobody waits');
    const last = this.#times.length - 1;
    let i = 0;
    for (let child = 1; child < last; child = 2 * i + 1) {
      if (child + 1 < last && this.#isBefore(child + 1, child)) child++;
      if (!this.#isBefore(child, last)) break;
      this.#move(child, i);
      i = child;
    }
    this.#move(last, i);
    for (const column of [this.#times, this.#turns, this.#actors]) column.pop();
    return actor;
  }

  #isBefore(a: number, b: number): boolean {
    return (
      this.#times[a]! - this.#times[b]! < 0 || (this.#times[a] === this.#times[b] && this.#turns[a]! < this.#turns[b]!)
    );
  }

  #move(from: number, to: number): void {
    this.#times[to] = this.#times[from]!;
    this.#turns[to] = this.#turns[from]!;
    this.#actors[to] = this.#actors[from]!;
  }
}
