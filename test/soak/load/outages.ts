/** Records when faults are active, so that each error can be checked for a cause. */
export class Outages {
  #begun = 0;
  #isActive = false;

  begin(): void {
    this.#begun++;
    this.#isActive = true;
  }

  end(): void {
    this.#isActive = false;
  }

  /** Returns a function that reports whether an outage was active at any time since this call. */
  watch(): () => boolean {
    const [wasActive, before] = [this.#isActive, this.#begun];
    return () => wasActive || this.#begun > before;
  }
}
