import { MessageChannel, type MessagePort } from "node:worker_threads";
import { AsyncQueue } from "./async-queue.ts";

/** A control message in the form in which it is posted. */
export interface PortMessage {
  readonly protocol: string;
  readonly type: string;
  readonly attempt?: number;
  readonly [member: string]: unknown;
}

/** One side of a message port, controlled by the test. It posts nothing on its own unless `onMessage` does. */
export class PortPeer {
  readonly port: MessagePort;
  /** The other side. */
  readonly other: MessagePort;
  /** Every message received, in order. */
  readonly received: unknown[] = [];
  readonly gone: Promise<void>;
  /** Called with each message received. @default no answer */
  onMessage: (message: unknown) => void = () => {};
  readonly #unread = new AsyncQueue<unknown>();
  #isGone = false;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    this.other = port2;
    port1.on("message", (message) => {
      this.received.push(message);
      this.#unread.push(message);
      this.onMessage(message);
    });
    this.gone = new Promise((resolve) => {
      port1.once("close", () => {
        this.#isGone = true;
        this.#unread.push(undefined);
        resolve();
      });
    });
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** The next unread message; undefined when the port has closed. */
  next(): Promise<unknown> {
    return this.#unread.next();
  }

  /** The next unread message of this type. Skips others. */
  async until(type: string): Promise<PortMessage> {
    for (;;) {
      const message = await this.next();
      if (message === undefined) throw new Error(`the port closed before a message of type ${type}`);
      if (typeof message !== "string" && (message as PortMessage).type === type)
        return message as PortMessage;
    }
  }

  post(type: string, members: object = {}): void {
    this.port.postMessage({ protocol: "exec-server-port/1", type, ...members });
  }

  /** The types of all control messages received so far. */
  get types(): string[] {
    return this.received.flatMap((message) =>
      typeof message === "string" ? [] : [(message as PortMessage).type],
    );
  }
}
