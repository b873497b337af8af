import { MAX_TIMER_MS } from "../internal/timer.ts";

export interface PageLimits {
  readonly idleTimeoutMs?: number | undefined;
  readonly maxDurationMs?: number | undefined;
  /** Milliseconds since 1970. */
  readonly expiresAt?: number | undefined;
  /** Whether reading from the page is paused by this side. It can't be idle then. */
  readonly isPaused: () => boolean;
  readonly onLimit: (reason: "idle" | "max-duration" | "expired") => void;
}

/** Calls back once when a page has been idle or connected for too long. */
export class PageClock {
  readonly #limits: PageLimits;
  readonly #started = performance.now();
  #activeAt = this.#started;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(limits: PageLimits) {
    this.#limits = limits;
    this.#schedule();
  }

  /** A message of the page has arrived. */
  active(): void {
    this.#activeAt = performance.now();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    const rest = Math.min(...this.#rests().map(([, ms]) => ms));
    if (rest === Number.POSITIVE_INFINITY) return;
    // At least 1 ms: a timer may fire a fraction early.
    this.#timer = setTimeout(() => this.#check(), Math.min(Math.max(rest, 1), MAX_TIMER_MS));
  }

  #check(): void {
    if (this.#limits.isPaused()) this.active();
    const [reason] = this.#rests().find(([, ms]) => ms <= 0) ?? [];
    if (reason) this.#limits.onLimit(reason);
    else this.#schedule();
  }

  /** Milliseconds left of each limit. */
  #rests(): [reason: "idle" | "max-duration" | "expired", ms: number][] {
    const { idleTimeoutMs, maxDurationMs, expiresAt } = this.#limits;
    const now = performance.now();
    const never = Number.POSITIVE_INFINITY;
    return [
      ["expired", (expiresAt ?? never) - Date.now()],
      ["max-duration", this.#started + (maxDurationMs ?? never) - now],
      ["idle", this.#activeAt + (idleTimeoutMs ?? never) - now],
    ];
  }
}
