import type { Connection, ConnectionEnd, ConnectionReceiver } from "../../src/transport/transport.ts";

/** The entry for the end of the connection in the log of a recorder. */
export const END = "<end>";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Records the frames and the end of a connection in order. */
export class Recorder implements ConnectionReceiver {
  readonly log: string[] = [];
  readonly ended: Promise<ConnectionEnd>;
  #resolveEnd!: (end: ConnectionEnd) => void;
  #onEntry: (() => void)[] = [];

  constructor(connection: Connection) {
    this.ended = new Promise((resolve) => {
      this.#resolveEnd = resolve;
    });
    connection.start(this);
  }

  onFrame(frame: string | Uint8Array): void {
    this.#append(typeof frame === "string" ? frame : decoder.decode(frame));
  }

  onEnd(end: ConnectionEnd): void {
    this.#append(END);
    this.#resolveEnd(end);
  }

  /** Resolves when the log has this many entries, or when the connection has ended. */
  async entries(count: number): Promise<readonly string[]> {
    while (this.log.length < count && !this.log.includes(END)) {
      await new Promise<void>((resolve) => this.#onEntry.push(resolve));
    }
    return this.log;
  }

  #append(entry: string): void {
    this.log.push(entry);
    for (const resolve of this.#onEntry.splice(0)) resolve();
  }
}
