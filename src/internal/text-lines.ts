import type { Bytes } from "./bytes.ts";
import { platformClass } from "./platform.ts";

/** Splits chunks of UTF-8 text into lines, independently of their boundaries. */
export class TextLines {
  readonly #decoder = new (platformClass("TextDecoder"))("utf-8", { ignoreBOM: true });
  #rest = "";

  /** The text behind the last line feed. */
  get rest(): string {
    return this.#rest;
  }

  /** Returns the lines that this chunk completes, without their line feeds. */
  push(chunk: Bytes): string[] {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split("\n");
    this.#rest = lines.pop() ?? "";
    return lines;
  }
}
