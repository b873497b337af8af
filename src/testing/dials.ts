import type { DialRefusal } from "./channel.ts";
import { Holds } from "./holds.ts";
import { Registrations } from "./registrations.ts";

/** Counts the dials to a test server, and decides which of them wait or are refused. */
export class Dials {
  count = 0;
  readonly #next: DialRefusal[] = [];
  readonly #refusals = new Registrations<DialRefusal>();
  readonly #holds = new Holds();

  refuseNext(refusal: DialRefusal): void {
    this.#next.push(refusal);
  }

  refuse(refusal: DialRefusal): () => void {
    return this.#refusals.add(refusal);
  }

  hold(): () => void {
    return this.#holds.add();
  }

  /** Refuses every dial from now on, also those that are held. */
  end(): void {
    this.refuse({});
    this.#holds.end();
  }

  async admit(): Promise<DialRefusal | undefined> {
    this.count++;
    for (const released of this.#holds) await released;
    return this.#next.shift() ?? this.#refusals.all[0];
  }
}
