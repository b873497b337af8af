import type { Connection, ConnectionEnd, ConnectionReceiver } from "../../src/transport/transport.ts";

/** Stands for the end in a recorder's log. */
export const END = "<end>";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Receives a connection and writes down what came, in order. */
export class Recorder implements ConnectionReceiver {
  readonly log: string[] = [];
  readonly ended: Promise<ConnectionEnd>;
  #resolveEnd!: (end: ConnectionEnd) => void;
  #wake: (() => void)[] = [];

  constructor(connection: Connection) {
    this.ended = new Promise((resolve) => {
      this.#resolveEnd = resolve;
    });
    connection.start(this);
  }

  onFrame(frame: string | Uint8Array): void {
    this.#write(typeof frame === "string" ? frame : decoder.decode(frame));
  }

  onEnd(end: ConnectionEnd): void {
    this.#write(END);
    this.#resolveEnd(end);
  }

  /** Resolves when this many entries have come; at once after the end, since nothing more will. */
  async entries(count: number): Promise<readonly string[]> {
    while (this.log.length < count && !this.log.includes(END)) {
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
    return this.log;
  }

  #write(entry: string): void {
    this.log.push(entry);
    for (const wake of this.#wake.splice(0)) wake();
  }
}
