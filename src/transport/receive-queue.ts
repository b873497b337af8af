import { Fifo } from "../internal/fifo.ts";
import type { ConnectionEnd, ConnectionReceiver } from "./transport.ts";

/**
 * The receiving half of a connection: keeps what arrives before the receiver is there or while it is held up, in one
 * queue for frames and the end, and lets the end through once, as the last thing.
 */
export class ReceiveQueue {
  #receiver: ConnectionReceiver | undefined;
  readonly #waiting = new Fifo<string | Uint8Array>();
  #isPaused = false;
  #isCatchingUp = false;
  #end: ConnectionEnd | undefined;
  #endIsTold = false;

  get ended(): boolean {
    return this.#end !== undefined;
  }

  /** Whether everything that arrived has been delivered. */
  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  start(receiver: ConnectionReceiver): void {
    this.#receiver = receiver;
    this.#catchUp();
  }

  /** Holds back what comes from now on. Not once the end is there: then nothing more will pile up. */
  pause(): void {
    this.#isPaused = this.#end === undefined;
  }

  resume(): void {
    this.#isPaused = false;
    this.#catchUp();
  }

  frame(frame: string | Uint8Array): void {
    if (this.#end) return;
    const mustWait = this.#isPaused || this.#isCatchingUp || !this.isEmpty;
    if (this.#receiver && !mustWait) this.#receiver.onFrame(frame);
    else this.#waiting.push(frame);
  }

  end(end: ConnectionEnd): void {
    if (this.#end) return;
    this.#end = end;
    this.resume();
  }

  #catchUp(): void {
    const receiver = this.#receiver;
    if (!receiver || this.#isCatchingUp) return;
    this.#isCatchingUp = true;
    while (!this.#isPaused) {
      const frame = this.#waiting.shift();
      if (frame === undefined) break;
      receiver.onFrame(frame);
    }
    this.#isCatchingUp = false;
    if (!this.#end || this.#endIsTold) return;
    this.#endIsTold = true;
    receiver.onEnd(this.#end);
  }
}
