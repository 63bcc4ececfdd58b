type Connectable = { readonly connect: () => Promise<void>; readonly disconnect: () => Promise<void> };

/** One connection, made when it is first asked for; after `drop` the next to ask gets a new one. */
export class Connection<T extends Connectable> {
  readonly #make: () => T;
  #current: Promise<T> | undefined;

  constructor(make: () => T) {
    this.#make = make;
  }

  get(): Promise<T> {
    this.#current ??= this.#connect();
    return this.#current;
  }

  async drop(): Promise<void> {
    const dropped = this.#current;
    this.#current = undefined;
    await dropped?.then((connected) => connected.disconnect()).catch(() => {});
  }

  async #connect(): Promise<T> {
    const made = this.#make();
    try {
      await made.connect();
      return made;
    } catch (error) {
      this.#current = undefined;
      // A failed connect may have left a socket behind.
      void made.disconnect().catch(() => {});
      throw error;
    }
  }
}
