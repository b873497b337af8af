import { Fifo } from "../internal/fifo.ts";

interface Delivery {
  readonly bytes: number;
  readonly run: () => void;
}

/** One direction of a channel in memory: brings things over in later turns, in order, unless it is held. No timers. */
export class Lane {
  readonly #waiting = new Fifo<Delivery>();
  #isHeld = false;
  #isPumping = false;
  #queuedBytes = 0;

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  push(bytes: number, run: () => void): void {
    this.#queuedBytes += bytes;
    this.#waiting.push({ bytes, run });
    this.#pump();
  }

  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    this.#pump();
  }

  /** Loses what is on its way. */
  clear(): void {
    this.#waiting.clear();
    this.#queuedBytes = 0;
  }

  #pump(): void {
    if (this.#isPumping || this.#isHeld || this.#waiting.length === 0) return;
    this.#isPumping = true;
    queueMicrotask(() => {
      this.#isPumping = false;
      const next = this.#isHeld ? undefined : this.#waiting.shift();
      if (!next) return;
      this.#queuedBytes -= next.bytes;
      try {
        next.run();
      } finally {
        this.#pump();
      }
    });
  }
}
