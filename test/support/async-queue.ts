/** A queue of items in order. A read of the empty queue waits for the next item. */
export class AsyncQueue<T> {
  readonly #items: T[] = [];
  readonly #readers: ((item: T) => void)[] = [];

  get length(): number {
    return this.#items.length;
  }

  push(item: T): void {
    const reader = this.#readers.shift();
    if (reader) reader(item);
    else this.#items.push(item);
  }

  next(): Promise<T> {
    if (this.#items.length > 0) return Promise.resolve(this.#items.shift() as T);
    return new Promise((resolve) => this.#readers.push(resolve));
  }
}
