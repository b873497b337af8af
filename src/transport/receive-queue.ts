import { Fifo } from "../internal/fifo.ts";
import type { ConnectionEnd, ConnectionReceiver } from "./transport.ts";

/**
 * The receiving half of a connection. Queues frames that arrive before `start` or during a pause, and delivers the end
 * exactly once, behind all frames.
 */
export class ReceiveQueue {
  #receiver: ConnectionReceiver | undefined;
  readonly #queued = new Fifo<string | Uint8Array>();
  #isPaused = false;
  #isFlushing = false;
  #end: ConnectionEnd | undefined;
  #endIsDelivered = false;
  readonly #onReleased: ((frame: string | Uint8Array) => void) | undefined;

  /** @param onReleased Called with each frame that the receiver has released, in order. */
  constructor(onReleased?: (frame: string | Uint8Array) => void) {
    this.#onReleased = onReleased;
  }

  get ended(): boolean {
    return this.#end !== undefined;
  }

  /** Whether every frame that arrived has been delivered. */
  get isEmpty(): boolean {
    return this.#queued.length === 0;
  }

  start(receiver: ConnectionReceiver): void {
    this.#receiver = receiver;
    this.#flush();
  }

  /** Queues frames from now on. Has no effect after the end, when the queue can't grow any more. */
  pause(): void {
    this.#isPaused = this.#end === undefined;
  }

  resume(): void {
    this.#isPaused = false;
    this.#flush();
  }

  frame(frame: string | Uint8Array): void {
    if (this.#end) return;
    const mustQueue = this.#isPaused || this.#isFlushing || !this.isEmpty;
    if (this.#receiver && !mustQueue) this.#deliver(frame, this.#receiver);
    else this.#queued.push(frame);
  }

  end(end: ConnectionEnd): void {
    if (this.#end) return;
    this.#end = end;
    this.resume();
  }

  #flush(): void {
    const receiver = this.#receiver;
    if (!receiver || this.#isFlushing) return;
    this.#isFlushing = true;
    while (!this.#isPaused) {
      const frame = this.#queued.shift();
      if (frame === undefined) break;
      this.#deliver(frame, receiver);
    }
    this.#isFlushing = false;
    if (!this.#end || this.#endIsDelivered) return;
    this.#endIsDelivered = true;
    receiver.onEnd(this.#end);
  }

  #deliver(frame: string | Uint8Array, receiver: ConnectionReceiver): void {
    receiver.onFrame(frame);
    if (receiver.releasesFrames) this.#onReleased?.(frame);
  }
}
