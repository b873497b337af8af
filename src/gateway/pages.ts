import { invalid, received } from "../internal/arguments.ts";
import { CLOSE_CODES } from "./close-codes.ts";
import type { GatewayPage } from "./events.ts";
import type { Identity } from "./identity.ts";
import type { ResolvedGatewayOptions } from "./options.ts";
import type { PageSession } from "./page-session.ts";
import type { Visit } from "./visit.ts";

/**
 * The part of all pages, and how many times their own limit, that one user may have with those that are ending. A page that
 * answers no close, or whose exec-server is slow to end, takes seconds: a user who comes and goes would fill the gateway.
 */
const MAX_PART_WITH_ENDING = 0.5;
const MAX_TIMES_WITH_ENDING = 4;

interface Entry {
  readonly session: PageSession;
  readonly page: GatewayPage;
}

/** The connected pages, the oldest first. */
export class Pages implements Iterable<GatewayPage> {
  readonly #options: ResolvedGatewayOptions;
  readonly #entries = new Set<Entry>();

  constructor(options: ResolvedGatewayOptions) {
    this.#options = options;
  }

  /** Every session, also those that are ending. */
  get sessions(): PageSession[] {
    return [...this.#entries].map(({ session }) => session);
  }

  /** A snapshot, without pages that are ending. */
  *[Symbol.iterator](): Iterator<GatewayPage> {
    yield* this.#live().map(({ page }) => page);
  }

  get isFull(): boolean {
    const { maxConnections } = this.#options;
    const live = this.#live().length;
    // The ends of pages take a while when the pages do not answer. They are bounded, too.
    return live >= maxConnections || this.#entries.size >= 2 * maxConnections;
  }

  /** Ends pages of the user that are too many for one more. Returns whether there is room for it. */
  makeRoom({ user, maxPages = this.#options.maxPagesPerUser }: Identity): boolean {
    if (user !== undefined && maxPages !== undefined) {
      const all = [...this.#entries].filter(({ page }) => page.user === user);
      const part = MAX_PART_WITH_ENDING * this.#options.maxConnections;
      if (all.length >= Math.max(part, MAX_TIMES_WITH_ENDING * maxPages)) return false;
      const own = all.filter(({ session }) => !session.isEnding);
      const tooMany = own.length - maxPages + 1;
      // The sort is stable: those that answer stay in the order of their age.
      const victims = own.sort((a, b) => Number(b.session.hasMissedPing) - Number(a.session.hasMissedPing));
      for (const { session } of victims.slice(0, Math.max(0, tooMany))) {
        void session.end({ closeCode: CLOSE_CODES.ended, reason: "displaced" });
      }
    }
    return !this.isFull;
  }

  add(session: PageSession, visit: Visit): void {
    const entry = { session, page: handleOf(session, visit) };
    this.#entries.add(entry);
    void session.closed.then(() => this.#entries.delete(entry));
  }

  #live(): Entry[] {
    return [...this.#entries].filter(({ session }) => !session.isEnding);
  }
}

function handleOf(session: PageSession, { id, identity, origin, address, since }: Visit): GatewayPage {
  const { user } = identity;
  return {
    id,
    ...(user === undefined ? {} : { user }),
    origin,
    address,
    since,
    // Not async: a wrong code is the caller's mistake, and throws.
    end(code = CLOSE_CODES.ended.code) {
      if (code !== 1000 && !(Number.isInteger(code) && code >= 3000 && code <= 4999)) {
        invalid(`end(): code must be 1000 or an integer from 3000 to 4999, got ${received(code)}`);
      }
      return session.end({ closeCode: { code, reason: CLOSE_CODES.ended.reason }, reason: "ended" });
    },
  };
}
