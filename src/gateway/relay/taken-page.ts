import type { Duplex } from "node:stream";
import { Endpoint } from "./endpoint.ts";
import { Pieces } from "./pieces.ts";

type DataListener = (chunk: Buffer) => void;

/**
 * A page whose stream is read in place of `ws`, which has just accepted it and has read nothing yet. `ws` can have it back
 * until it is certain that the page's frames are relayed.
 */
export class TakenPage {
  readonly endpoint: Endpoint;
  readonly #stream: Duplex;
  readonly #reader: DataListener;
  readonly #read = new Pieces();

  /** Undefined where the stream is not read by one listener, as in Bun: there `ws` keeps it. */
  static from(stream: Duplex, maxMessageBytes: number): TakenPage | undefined {
    const [reader, ...others] = stream.listeners("data");
    return reader && others.length === 0
      ? new TakenPage(stream, reader as DataListener, maxMessageBytes)
      : undefined;
  }

  private constructor(stream: Duplex, reader: DataListener, maxMessageBytes: number) {
    this.#stream = stream;
    this.#reader = reader;
    stream.off("data", reader);
    stream.on("data", this.#record);
    this.endpoint = new Endpoint(stream, { role: "server", maxMessageBytes });
  }

  /** The endpoint goes on to read the page. */
  keep(): void {
    this.#stream.off("data", this.#record);
    this.#read.take();
  }

  /** `ws` reads the page from its first byte on. It may answer a ping that was answered. */
  giveBack(): void {
    const read = Buffer.concat(this.#read.take());
    this.keep();
    this.endpoint.release();
    this.#stream.on("data", this.#reader);
    if (read.length > 0) this.#stream.unshift(read);
  }

  readonly #record = (chunk: Buffer): void => {
    this.#read.add(chunk);
  };
}
