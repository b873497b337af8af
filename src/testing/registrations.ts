/** Values that apply until they are removed. The latest one takes precedence. */
export class Registrations<T> {
  #entries: readonly { readonly value: T }[] = [];

  /** Every value, the latest first. */
  get all(): readonly T[] {
    return this.#entries.map(({ value }) => value);
  }

  /** Returns the function that removes the value. Further calls of that function do nothing. */
  add(value: T): () => void {
    const entry = { value };
    this.#entries = [entry, ...this.#entries];
    return () => {
      this.#entries = this.#entries.filter((other) => other !== entry);
    };
  }
}
