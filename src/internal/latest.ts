import { markShared } from "./operation.ts";

interface Next<T> {
  value: T;
  callers: number;
  readonly applied: Promise<void>;
}

/** Applies values one after the other. Of those that come while one is being applied only the newest is applied. */
export class Latest<T> {
  readonly #apply: (value: T) => Promise<void>;
  #last: Promise<void> = Promise.resolve();
  #next: Next<T> | undefined;

  constructor(apply: (value: T) => Promise<void>) {
    this.#apply = apply;
  }

  /** Resolves when this value, or a newer one in its place, has been applied. */
  set(value: T): Promise<void> {
    if (this.#next) {
      this.#next.value = value;
      this.#next.callers++;
      return this.#next.applied;
    }
    const applied = this.#last.then(() => this.#applyNext());
    this.#next = { value, callers: 1, applied };
    this.#last = applied.catch(() => {});
    return applied;
  }

  async #applyNext(): Promise<void> {
    const next = this.#next as Next<T>;
    this.#next = undefined;
    try {
      await this.#apply(next.value);
    } catch (error) {
      if (next.callers > 1) markShared(error);
      throw error;
    }
  }
}
