/** Lets a number of bytes pass and no more. */
export class ByteLimit {
  #left = Number.POSITIVE_INFINITY;

  set(bytes: number): void {
    this.#left = bytes;
  }

  /** Returns how many of these bytes may still pass. */
  take(bytes: number): number {
    const passed = Math.min(bytes, this.#left);
    this.#left -= passed;
    return passed;
  }

  get isReached(): boolean {
    return this.#left <= 0;
  }
}
