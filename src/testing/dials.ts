import { type Deferred, deferred } from "../internal/deferred.ts";
import type { DialRefusal } from "./channel.ts";

/** What becomes of the dials to a test server. */
export class Dials {
  count = 0;
  readonly #next: DialRefusal[] = [];
  readonly #standing = new Set<{ readonly refusal: DialRefusal }>();
  readonly #holds = new Set<Deferred<void>>();

  refuseNext(refusal: DialRefusal): void {
    this.#next.push(refusal);
  }

  refuse(refusal: DialRefusal): () => void {
    const entry = { refusal };
    this.#standing.add(entry);
    return () => void this.#standing.delete(entry);
  }

  hold(): () => void {
    const hold = deferred<void>();
    this.#holds.add(hold);
    return () => {
      this.#holds.delete(hold);
      hold.resolve();
    };
  }

  async admit(): Promise<DialRefusal | undefined> {
    this.count++;
    for (const hold of this.#holds) await hold.promise;
    return this.#next.shift() ?? [...this.#standing].at(-1)?.refusal;
  }
}
