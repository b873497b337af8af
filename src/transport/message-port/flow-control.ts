import type { ReceiveQueue } from "../receive-queue.ts";
import type { FlowControl } from "../transport.ts";
import type { PortMessage } from "./messages.ts";

/** The other side hears that often, in characters, how much has been passed on here. */
const REPORT_EVERY = 256 * 1024;

/** The brake of a message port, which has none of its own: the receiving side tells how far it has come. */
export class PortFlowControl implements FlowControl {
  readonly #receiveQueue: ReceiveQueue;
  readonly #say: (message: PortMessage) => void;
  #unconfirmed = 0;
  #waiting: (() => void)[] = [];
  #unreported = 0;
  #owedFlushes = 0;

  constructor(queue: ReceiveQueue, say: (message: PortMessage) => void) {
    this.#receiveQueue = queue;
    this.#say = say;
  }

  /** Characters rather than bytes, which in JSON are much the same. */
  get queuedBytes(): number {
    return this.#unconfirmed;
  }

  pause(): void {
    this.#receiveQueue.pause();
  }

  resume(): void {
    this.#receiveQueue.resume();
  }

  drained(): Promise<void> {
    if (this.#unconfirmed === 0) return Promise.resolve();
    this.#say({ type: "flush" });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  sent(length: number): void {
    this.#unconfirmed += length;
  }

  /** A frame was passed on. */
  delivered(length: number): void {
    this.#unreported += length;
    if (this.#unreported >= REPORT_EVERY) this.#report();
    if (this.#owedFlushes > 0) this.#answerFlushes();
  }

  onReceived(length: number): void {
    this.#unconfirmed = Math.max(0, this.#unconfirmed - length);
  }

  onFlush(): void {
    this.#owedFlushes++;
    this.#answerFlushes();
  }

  onFlushed(): void {
    this.#waiting.shift()?.();
  }

  /** Nothing will be sent any more. */
  end(): void {
    this.#unconfirmed = 0;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #answerFlushes(): void {
    if (!this.#receiveQueue.isEmpty) return;
    this.#report();
    for (; this.#owedFlushes > 0; this.#owedFlushes--) this.#say({ type: "flushed" });
  }

  #report(): void {
    if (this.#unreported > 0) this.#say({ type: "received", length: this.#unreported });
    this.#unreported = 0;
  }
}
