import { guarded } from "./guarded.ts";

/** A set of callbacks. An error in one of them reaches neither the others nor the emitter. */
export class Listeners<Event> {
  readonly #listeners = new Set<{ readonly call: (event: Event) => void }>();

  /** Returns a function that removes the listener again. Calling it twice has no effect. */
  add(listener: (event: Event) => void): () => void {
    // A new entry for each registration, so that the same function can be registered twice.
    const entry = { call: listener };
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  emit(event: Event): void {
    for (const listener of [...this.#listeners]) {
      // Another listener may have removed it since.
      if (!this.#listeners.has(listener)) continue;
      guarded(listener.call, event);
    }
  }
}
