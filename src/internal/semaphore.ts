import { untilAborted } from "./abort.ts";
import { type Deferred, deferred } from "./deferred.ts";
import { Fifo } from "./fifo.ts";

/** A fixed number of permits, granted in the order in which they are requested. */
export class Semaphore {
  readonly #waiting = new Fifo<Deferred<void>>();
  #free: number;

  constructor(permits: number) {
    this.#free = permits;
  }

  /** Whether a further permit has to be waited for. */
  get isExhausted(): boolean {
    return this.#free === 0;
  }

  /** Resolves when a permit is granted; `release` returns it. Rejects with the reason of the signal. */
  acquire(signal?: AbortSignal): Promise<void> {
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve();
    }
    const permit = deferred<void>();
    this.#waiting.push(permit);
    // An aborted waiter stays queued; its permit passes to the next one.
    return untilAborted(permit.promise, signal, () => this.release());
  }

  release(): void {
    const next = this.#waiting.shift();
    if (next) next.resolve();
    else this.#free++;
  }
}
