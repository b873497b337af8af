import { randomBytes } from "node:crypto";

/** Milliseconds for which a ticket is valid. */
const LIFETIME_MS = 60_000;
/** Tickets that wait for their use. One more replaces the oldest. */
const MAX_TICKETS = 16;

/** Tickets that are valid once. They carry the authorization to a host that does not have the cookie yet. */
export class Tickets {
  /** When each ends, the oldest first. */
  readonly #waiting = new Map<string, number>();

  issue(): string {
    const ticket = randomBytes(32).toString("base64url");
    const [oldest] = this.#waiting.keys();
    if (oldest !== undefined && this.#waiting.size === MAX_TICKETS) this.#waiting.delete(oldest);
    this.#waiting.set(ticket, performance.now() + LIFETIME_MS);
    return ticket;
  }

  /** Whether the ticket was valid, which it is no longer. */
  redeem(ticket: string): boolean {
    const end = this.#waiting.get(ticket);
    this.#waiting.delete(ticket);
    return end !== undefined && performance.now() < end;
  }
}
