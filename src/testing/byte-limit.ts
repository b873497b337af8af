/** Counts bytes down to a limit. @default no limit */
export class ByteLimit {
  #remaining = Number.POSITIVE_INFINITY;

  set(bytes: number): void {
    this.#remaining = bytes;
  }

  /** Returns how many of these bytes are within the limit. */
  take(bytes: number): number {
    const taken = Math.min(bytes, this.#remaining);
    this.#remaining -= taken;
    return taken;
  }

  get isReached(): boolean {
    return this.#remaining <= 0;
  }
}
