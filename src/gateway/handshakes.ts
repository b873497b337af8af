/** A refused page, from the decision until its socket is closed. */
interface Refused {
  /** Destroys the socket. */
  drop(): void;
}

/** Bounds the handshakes under way: pending checks, and refused pages whose sockets are not closed yet. */
export class Handshakes {
  readonly #max: number;
  /** The oldest first. */
  readonly #refused = new Set<Refused>();
  #checks = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Takes a place for a check, if need be that of the oldest refused page. Returns false if there is none. */
  beginCheck(): boolean {
    const [oldest] = this.#refused;
    if (this.#isFull && oldest) this.#drop(oldest);
    if (this.#isFull) return false;
    this.#checks++;
    return true;
  }

  endCheck(): void {
    this.#checks--;
  }

  /** Takes a place for a refused page. Returns a function that frees it, or undefined if there is no place. */
  refuse(drop: () => void): (() => void) | undefined {
    if (this.#isFull) return undefined;
    const entry = { drop };
    this.#refused.add(entry);
    return () => {
      this.#refused.delete(entry);
    };
  }

  get #isFull(): boolean {
    return this.#checks + this.#refused.size >= this.#max;
  }

  #drop(refused: Refused): void {
    this.#refused.delete(refused);
    refused.drop();
  }
}
