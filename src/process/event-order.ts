import { ProtocolError } from "../errors/connection.ts";

interface Held<Event> {
  readonly event: Event;
  readonly bytes: number;
}

/** Limits of the events held while an earlier one is missing, as in the Rust client: their number, and their bytes. */
const MAX_HELD_EVENTS = 256;
const MAX_HELD_BYTES = 1024 * 1024;

/**
 * Restores the sequence (1, 2, 3, …) of the events of one process. The server sends output, exit and close from
 * different tasks, so the events can arrive in another order.
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
   * Publishes the event and the held events that follow it, or holds the event until its predecessors have arrived.
   * Ignores sequence numbers that were seen before.
   *
   * @throws ProtocolError when too many events or bytes are held for a missing event.
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
