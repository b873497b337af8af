import { isIPv6 } from "node:net";

/** Failures of one address that are answered at once. */
const BURST = 10;
/** Milliseconds after which one more failure is answered at once. */
const INTERVAL_MS = 500;
/** Longest delay of an answer in milliseconds. It is below a client's `connectTimeoutMs`, so the page learns why. */
const MAX_DELAY_MS = 5_000;
/** Addresses remembered. The one that has failed least recently is forgotten first. */
const MAX_ADDRESSES = 10_000;

/**
 * Delays the answers to failed logins of an address. Successful ones are never delayed: behind a proxy, all pages can
 * have the same address.
 */
export class BackOff {
  /** When the failures so far are paid off, in milliseconds of `now`, by address. */
  readonly #paidOff = new Map<string, number>();

  /** Counts a failure. Returns the milliseconds by which its answer is delayed. */
  delayFor(address: string, now = performance.now()): number {
    const key = networkOf(address);
    const paidOff = Math.max(this.#paidOff.get(key) ?? 0, now) + INTERVAL_MS;
    // Deleted first, so that the entry becomes the latest.
    this.#paidOff.delete(key);
    const delay = Math.min(Math.max(0, paidOff - now - BURST * INTERVAL_MS), MAX_DELAY_MS);
    this.#paidOff.set(key, Math.min(paidOff, now + BURST * INTERVAL_MS + MAX_DELAY_MS));
    const [oldest] = this.#paidOff.keys();
    if (this.#paidOff.size > MAX_ADDRESSES && oldest !== undefined) this.#paidOff.delete(oldest);
    return delay;
  }
}

/** One machine usually has all addresses of an IPv6 network of 64 bits. */
function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = "", tail] = address.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array<string>(Math.max(0, zeros)).fill("0"), ...right].slice(0, 4).join(":");
}
