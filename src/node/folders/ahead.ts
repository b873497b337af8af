/** Maps in order, with at most `limit` results prepared ahead of the reader. */
export async function* ahead<T, R>(
  source: AsyncIterable<T> | Iterable<T>,
  limit: number,
  map: (item: T) => Promise<R>,
): AsyncGenerator<R, void> {
  const prepared: Promise<R>[] = [];
  for await (const item of source) {
    const result = map(item);
    // It is awaited later, or never if an earlier one rejects.
    result.catch(() => {});
    prepared.push(result);
    if (prepared.length >= limit) yield await (prepared.shift() as Promise<R>);
  }
  for (const result of prepared) yield await result;
}

/** Runs work with at most `limit` at a time. */
export class Pool {
  readonly #limit: number;
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Resolves when there is room for more. Rejects with the first error so far. */
  async add(work: () => Promise<void>): Promise<void> {
    const running = work()
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
    while (this.#running.size >= this.#limit) await Promise.race(this.#running);
    this.#check();
  }

  /** Resolves when all work has settled. Rejects with the first error. */
  async idle(): Promise<void> {
    await Promise.all(this.#running);
    this.#check();
  }

  #check(): void {
    if (this.#failure) throw this.#failure.error;
  }
}
