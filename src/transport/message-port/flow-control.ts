import type { ReceiveQueue } from "../receive-queue.ts";
import type { FlowControl } from "../transport.ts";
import type { PortMessage } from "./messages.ts";

/** After this many delivered characters, the receiving side reports them to the sending side. */
const REPORT_EVERY = 256 * 1024;

/** Backpressure of a message port, which has none built in: the receiving side reports what it has delivered. */
export class PortFlowControl implements FlowControl {
  readonly #receiveQueue: ReceiveQueue;
  readonly #post: (message: PortMessage) => void;
  /** Characters sent that the other side has not reported as delivered. */
  #unconfirmed = 0;
  /** One resolver per `flush` in flight. */
  readonly #onFlushed: (() => void)[] = [];
  /** Characters delivered here since the last report. */
  #unreported = 0;
  /** How many `flush` messages of the other side have no answer yet. */
  #pendingFlushes = 0;

  constructor(receiveQueue: ReceiveQueue, post: (message: PortMessage) => void) {
    this.#receiveQueue = receiveQueue;
    this.#post = post;
  }

  /** In characters instead of bytes: JSON is mostly ASCII. */
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
    this.#post({ type: "flush" });
    return new Promise((resolve) => this.#onFlushed.push(resolve));
  }

  /** A frame of this length was posted. */
  sent(length: number): void {
    this.#unconfirmed += length;
  }

  /** A frame of this length was delivered to the receiver. */
  delivered(length: number): void {
    this.#unreported += length;
    if (this.#unreported >= REPORT_EVERY) this.#report();
    if (this.#pendingFlushes > 0) this.#answerFlushes();
  }

  onReceived(length: number): void {
    this.#unconfirmed = Math.max(0, this.#unconfirmed - length);
  }

  onFlush(): void {
    this.#pendingFlushes++;
    this.#answerFlushes();
  }

  onFlushed(): void {
    this.#onFlushed.shift()?.();
  }

  /** The port has closed. */
  end(): void {
    this.#unconfirmed = 0;
    for (const resolve of this.#onFlushed.splice(0)) resolve();
  }

  #answerFlushes(): void {
    if (!this.#receiveQueue.isEmpty) return;
    this.#report();
    for (; this.#pendingFlushes > 0; this.#pendingFlushes--) this.#post({ type: "flushed" });
  }

  #report(): void {
    if (this.#unreported > 0) this.#post({ type: "received", length: this.#unreported });
    this.#unreported = 0;
  }
}
