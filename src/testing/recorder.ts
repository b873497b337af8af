import { deferred, unobserved } from "../internal/deferred.ts";

/** Keeps items in the order in which they arrive. Readers can wait for items that have not arrived yet. */
export class Recorder<T> {
  readonly all: T[] = [];
  #changed = deferred<void>();
  #end: Error | undefined;

  record(item: T): void {
    this.all.push(item);
    this.#notify();
  }

  /** Ends the recording. Pending and later waits reject with the error, unless their item was recorded before. */
  end(error: Error): void {
    this.#end ??= error;
    this.#notify();
  }

  /** Resolves with the n-th matching item, recorded or still to come. */
  find(n: number, matches: (item: T) => boolean = () => true): Promise<T> {
    return unobserved(this.#find(n, matches));
  }

  /** Yields every item from the first one, until the recording ends. */
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

  #notify(): void {
    this.#changed.resolve();
    this.#changed = deferred();
  }
}
