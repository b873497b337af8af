import { MessageChannel, type MessagePort } from "node:worker_threads";
import { AsyncQueue } from "./async-queue.ts";

/** What crosses a port besides frames, as it looks there. */
export interface PortMessage {
  readonly protocol: string;
  readonly type: string;
  readonly attempt?: number;
  readonly [member: string]: unknown;
}

/** One side of a message port, played by hand: nothing is said by itself but what `answers` says. */
export class PortPeer {
  readonly port: MessagePort;
  /** The other side. */
  readonly other: MessagePort;
  /** Everything that came, in order. */
  readonly received: unknown[] = [];
  readonly gone: Promise<void>;
  /** Plays this side. @default silence */
  answers: (message: unknown) => void = () => {};
  readonly #arrivals = new AsyncQueue<unknown>();
  #isGone = false;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    this.other = port2;
    port1.on("message", (message) => {
      this.received.push(message);
      this.#arrivals.push(message);
      this.answers(message);
    });
    this.gone = new Promise((resolve) => {
      port1.once("close", () => {
        this.#isGone = true;
        this.#arrivals.push(undefined);
        resolve();
      });
    });
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** The next message nobody has asked for yet; undefined when the port is closed. */
  next(): Promise<unknown> {
    return this.#arrivals.next();
  }

  /** The next message of this type. */
  async until(type: string): Promise<PortMessage> {
    for (;;) {
      const message = await this.next();
      if (message === undefined) throw new Error(`the port closed before a message of type ${type}`);
      if (typeof message !== "string" && (message as PortMessage).type === type)
        return message as PortMessage;
    }
  }

  say(type: string, members: object = {}): void {
    this.port.postMessage({ protocol: "exec-server-port/1", type, ...members });
  }

  /** The types of all control messages so far. */
  get types(): string[] {
    return this.received.flatMap((message) =>
      typeof message === "string" ? [] : [(message as PortMessage).type],
    );
  }
}
