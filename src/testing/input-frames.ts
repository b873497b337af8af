import { concatBytes } from "../internal/bytes.ts";

/** Decodes the input of a process whose input can be ended: frames of a decimal length, a line feed and the bytes. */
export class InputFrames {
  #rest: Uint8Array = new Uint8Array();

  /** Yields the bytes of each frame, and undefined for the end of the input. */
  *push(bytes: Uint8Array): Generator<Uint8Array | undefined> {
    this.#rest = concatBytes([this.#rest, bytes]);
    for (;;) {
      const start = this.#rest.indexOf(0x0a) + 1;
      const length = Number(String.fromCharCode(...this.#rest.subarray(0, Math.max(0, start - 1))));
      if (start === 0 || this.#rest.length < start + length) return;
      yield length === 0 ? undefined : this.#rest.slice(start, start + length);
      this.#rest = this.#rest.subarray(start + length);
    }
  }
}
