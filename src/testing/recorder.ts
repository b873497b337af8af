import { deferred, unobserved } from "../internal/deferred.ts";

/** Things in the order in which they came, and promises of those to come. */
export class Arrivals<T> {
  readonly all: T[] = [];
  #changed = deferred<void>();
  #end: Error | undefined;

  add(item: T): void {
    this.all.push(item);
    this.#wake();
  }

  /** Nothing more will come: whoever waits gets the error. */
  end(error: Error): void {
    this.#end ??= error;
    this.#wake();
  }

  /** Resolves with the n-th that matches, past or to come. */
  find(n: number, matches: (item: T) => boolean = () => true): Promise<T> {
    return unobserved(this.#find(n, matches));
  }

  /** Everything from the start, until the end. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, undefined> {
    for (let at = 0; ; at++) {
      while (at >= this.all.length) {
        if (this.#end) return;
        await this.#changed.promise;
      }
      yield this.all[at] as T;
    }
  }

  async #find(n: number, matches: (item: T) => boolean): Promise<T> {
    for (;;) {
      const found = this.all.filter(matches)[n - 1];
      if (found !== undefined) return found;
      if (this.#end) throw this.#end;
      await this.#changed.promise;
    }
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = deferred();
  }
}
