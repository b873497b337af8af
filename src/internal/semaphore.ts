import { untilAborted } from "./abort.ts";
import { type Deferred, deferred } from "./deferred.ts";
import { Fifo } from "./fifo.ts";

/** A fixed number of places, given out in the order in which they were asked for. */
export class Semaphore {
  readonly #waiting = new Fifo<Deferred<void>>();
  #free: number;

  constructor(places: number) {
    this.#free = places;
  }

  /** Resolves when a place is taken; it must be given back with `release`. */
  acquire(signal?: AbortSignal): Promise<void> {
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve();
    }
    const place = deferred<void>();
    this.#waiting.push(place);
    // Whoever gave up still stands in line; its place goes on to the next.
    return untilAborted(place.promise, signal, () => this.release());
  }

  release(): void {
    const next = this.#waiting.shift();
    if (next) next.resolve();
    else this.#free++;
  }
}
