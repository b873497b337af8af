/** Lines of 16 bytes, each of which holds its own number, so that a lost, repeated or misplaced byte is detected. */
export function numberedLines(bytes: number): string[] {
  return ["seq", "-f", "%015.0f", "1", String(bytes / 16)];
}

/** Checks the chunks of {@link numberedLines} one by one. */
export class NumberedCheck {
  #rest = "";
  #line = 1;
  length = 0;

  /** Throws an error at the first chunk that does not continue the last one. */
  accept(chunk: Uint8Array): void {
    this.length += chunk.length;
    const text = this.#rest + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString("latin1");
    const whole = text.length - (text.length % 16);
    // The number of the first line is the position of the chunk; the length covers the other lines.
    if (whole > 0 && Number(text.slice(0, 15)) !== this.#line) {
      throw new Error(`expected line ${this.#line}, got ${text.slice(0, 16)}`);
    }
    this.#line += whole / 16;
    this.#rest = text.slice(whole);
  }
}
