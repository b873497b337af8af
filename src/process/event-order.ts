import { ProtocolError } from "../errors.ts";

interface Held<Event> {
  readonly event: Event;
  readonly bytes: number;
}

/** How much may wait for a missing event: the bounds of the Rust client. */
const MAX_HELD_EVENTS = 256;
const MAX_HELD_BYTES = 1024 * 1024;

/**
 * Puts the events of one process back into sequence (1, 2, 3, …): the server sends output, exit and close from
 * different tasks, so they can overtake each other.
 */
export class EventOrder<Event> {
  readonly #publish: (event: Event) => void;
  readonly #held = new Map<number, Held<Event>>();
  #heldBytes = 0;
  #next = 1;

  constructor(publish: (event: Event) => void) {
    this.#publish = publish;
  }

  /**
   * Publishes the event and whatever waited for it, or holds it until its turn. What was seen before is ignored.
   * Throws a ProtocolError when too much waits for a missing event.
   */
  accept(seq: number, bytes: number, event: Event): void {
    if (seq === this.#next) {
      this.#next++;
      this.#publish(event);
      this.#publishHeld();
    } else if (seq > this.#next && !this.#held.has(seq)) {
      this.#hold(seq, bytes, event);
    }
  }

  #hold(seq: number, bytes: number, event: Event): void {
    if (this.#held.size === MAX_HELD_EVENTS || this.#heldBytes + bytes > MAX_HELD_BYTES) {
      throw new ProtocolError(
        `Event ${this.#next} of a process is missing, and more than ${MAX_HELD_EVENTS} events or ${MAX_HELD_BYTES} bytes came after it`,
      );
    }
    this.#held.set(seq, { event, bytes });
    this.#heldBytes += bytes;
  }

  #publishHeld(): void {
    for (let held = this.#held.get(this.#next); held; held = this.#held.get(this.#next)) {
      this.#held.delete(this.#next++);
      this.#heldBytes -= held.bytes;
      this.#publish(held.event);
    }
  }
}
