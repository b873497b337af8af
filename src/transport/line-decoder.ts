import { concatBytes } from "../internal/bytes.ts";

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Splits a byte stream into lines (LF or CRLF, blank ones skipped), independently of the boundaries of its chunks. Works
 * on bytes, so a character split over two chunks stays whole.
 */
export class LineDecoder {
  readonly #maxLength: number;
  #parts: Uint8Array[] = [];
  #length = 0;

  /** @param maxLength Longest line allowed, in bytes without its line ending. */
  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  /** Yields the lines that this chunk completes. Throws a RangeError for a line over the limit, even if unfinished. */
  *push(chunk: Uint8Array): Generator<Uint8Array> {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      this.#append(chunk.subarray(start, end));
      const line = this.#take();
      if (!isBlank(line)) yield line;
      start = end + 1;
    }
    if (start < chunk.length) this.#append(chunk.subarray(start));
  }

  #append(part: Uint8Array): void {
    this.#parts.push(part);
    this.#length += part.length;
    // One byte more can be the carriage return of the line ending.
    if (this.#length > this.#maxLength + 1) throw this.#tooLong();
  }

  #take(): Uint8Array {
    const line = this.#parts.length === 1 ? (this.#parts[0] as Uint8Array) : concatBytes(this.#parts);
    this.#parts = [];
    this.#length = 0;
    const trimmed = line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
    if (trimmed.length > this.#maxLength) throw this.#tooLong();
    return trimmed;
  }

  #tooLong(): RangeError {
    return new RangeError(`a line is longer than ${this.#maxLength} bytes`);
  }
}

function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === CARRIAGE_RETURN);
}
