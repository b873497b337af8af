/** A queue whose `shift` is cheap at any length (the one of an array moves every element). */
export class Fifo<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  peek(): T | undefined {
    return this.#items[this.#head];
  }

  /** Replaces the first item. */
  replaceFirst(item: T): void {
    this.#items[this.#head] = item;
  }

  shift(): T | undefined {
    if (this.#head === this.#items.length) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head++] = undefined;
    if (this.#head === this.#items.length) this.clear();
    else if (this.#head >= 1024 && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Removes and returns the first items, as long as they pass. */
  shiftWhile(passes: (item: T) => boolean): T[] {
    const items: T[] = [];
    while (this.length > 0 && passes(this.peek() as T)) items.push(this.shift() as T);
    return items;
  }

  *[Symbol.iterator](): Generator<T> {
    for (let at = this.#head; at < this.#items.length; at++) yield this.#items[at] as T;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
  }
}
