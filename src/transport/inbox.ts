import { Fifo } from "../internal/fifo.ts";
import type { ConnectionEnd, ConnectionReceiver } from "./transport.ts";

/**
 * The receiving half of a connection: keeps what arrives before the receiver is there, in one queue for frames and
 * the end, and lets the end through once, as the last thing.
 */
export class Inbox {
  #receiver: ConnectionReceiver | undefined;
  #early = new Fifo<string | Uint8Array>();
  #end: ConnectionEnd | undefined;

  get ended(): boolean {
    return this.#end !== undefined;
  }

  start(receiver: ConnectionReceiver): void {
    for (let frame = this.#early.shift(); frame !== undefined; frame = this.#early.shift()) {
      receiver.onFrame(frame);
    }
    this.#receiver = receiver;
    if (this.#end) receiver.onEnd(this.#end);
  }

  frame(frame: string | Uint8Array): void {
    if (this.#end) return;
    if (this.#receiver) this.#receiver.onFrame(frame);
    else this.#early.push(frame);
  }

  end(end: ConnectionEnd): void {
    if (this.#end) return;
    this.#end = end;
    this.#receiver?.onEnd(end);
  }
}
