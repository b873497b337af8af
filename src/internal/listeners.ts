import { unobserved } from "./deferred.ts";

/** A set of callbacks that can't harm each other or the one who calls them. */
export class Listeners<Event> {
  readonly #listeners = new Set<{ readonly call: (event: Event) => void }>();

  /** Returns the function that removes the listener again; calling it twice is harmless. */
  add(listener: (event: Event) => void): () => void {
    // An entry of its own for each registration: the same function may be registered twice.
    const entry = { call: listener };
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  emit(event: Event): void {
    for (const listener of [...this.#listeners]) {
      // Another listener may have taken it off in the meantime.
      if (!this.#listeners.has(listener)) continue;
      try {
        const outcome: unknown = listener.call(event);
        if (outcome instanceof Promise) void unobserved(outcome);
      } catch {
        // A listener's failure is its own.
      }
    }
  }
}
