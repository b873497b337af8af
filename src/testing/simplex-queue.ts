import { Fifo } from "../internal/fifo.ts";
import { soon } from "./soon.ts";

interface Delivery {
  readonly bytes: number;
  readonly run: () => void;
}

/** One direction of a channel in memory. Runs one delivery per microtask, in order, unless it is held. */
export class SimplexQueue {
  readonly #deliveries = new Fifo<Delivery>();
  #isHeld = false;
  #isScheduled = false;
  #queuedBytes = 0;

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  push(bytes: number, run: () => void): void {
    this.#queuedBytes += bytes;
    this.#deliveries.push({ bytes, run });
    this.#schedule();
  }

  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    this.#schedule();
  }

  /** Discards every queued delivery. */
  clear(): void {
    this.#deliveries.clear();
    this.#queuedBytes = 0;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isHeld || this.#deliveries.length === 0) return;
    this.#isScheduled = true;
    soon(() => {
      this.#isScheduled = false;
      const next = this.#isHeld ? undefined : this.#deliveries.shift();
      if (!next) return;
      this.#queuedBytes -= next.bytes;
      try {
        next.run();
      } finally {
        this.#schedule();
      }
    });
  }
}
