import { type Deferred, deferred } from "../internal/deferred.ts";

/** Barriers that a test places and releases. Iterates over the release of each, also of those placed meanwhile. */
export class Holds {
  readonly #holds = new Set<Deferred<void>>();

  get isEmpty(): boolean {
    return this.#holds.size === 0;
  }

  /** Returns the function that releases this hold. */
  add(): () => void {
    const hold = deferred<void>();
    this.#holds.add(hold);
    return () => {
      this.#holds.delete(hold);
      hold.resolve();
    };
  }

  /** Releases every hold. */
  end(): void {
    for (const { resolve } of this.#holds) resolve();
    this.#holds.clear();
  }

  *[Symbol.iterator](): Generator<Promise<void>> {
    for (const { promise } of this.#holds) yield promise;
  }
}
