/** When a connection was being disturbed, and so what may be put down to that. */
export class Outages {
  #begun = 0;
  #isOne = false;

  begin(): void {
    this.#begun++;
    this.#isOne = true;
  }

  end(): void {
    this.#isOne = false;
  }

  /** Returns what tells whether there was one at any time from now on. */
  watch(): () => boolean {
    const [wasOne, before] = [this.#isOne, this.#begun];
    return () => wasOne || this.#begun > before;
  }
}
