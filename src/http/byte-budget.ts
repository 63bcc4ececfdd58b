import type { Lease } from './route.ts';

/** Bytes that bodies may hold at one time. At the limit `lease` says no, and the caller is asked to come back. */
export class ByteBudget {
  readonly #limit: number;
  #used = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  lease(bytes: number): Lease | undefined {
    if (this.#used + bytes > this.#limit) return undefined;
    this.#used += bytes;
    let holders = 1;
    return {
      retain: () => {
        holders++;
      },
      release: () => {
        holders--;
        if (holders === 0) this.#used -= bytes;
      },
    };
  }
}
