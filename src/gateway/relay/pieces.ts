/** Pieces below this size are copied together: a piece of one byte would keep hundreds in use. */
const SMALL = 1024;
const BLOCK = 4 * 1024;

/** Bytes that are held back, in the pieces in which they came. */
export class Pieces {
  #pieces: Buffer[] = [];
  /** The last piece, if it has room for more. */
  #block: Buffer | undefined;
  #used = 0;
  length = 0;

  add(piece: Buffer): void {
    this.length += piece.length;
    if (piece.length >= SMALL) {
      this.#closeBlock();
      this.#pieces.push(piece);
      return;
    }
    if (this.#block && this.#used + piece.length > BLOCK) this.#closeBlock();
    this.#block ??= Buffer.allocUnsafe(BLOCK);
    this.#used += piece.copy(this.#block, this.#used);
  }

  /** Returns all pieces and forgets them. */
  take(): Buffer[] {
    this.#closeBlock();
    const pieces = this.#pieces;
    this.#pieces = [];
    this.length = 0;
    return pieces;
  }

  #closeBlock(): void {
    if (this.#block) this.#pieces.push(this.#block.subarray(0, this.#used));
    this.#block = undefined;
    this.#used = 0;
  }
}
