import type { IncomingMessage } from "node:http";
import { TimeoutError } from "../errors/connection.ts";
import { deadline, untilAborted } from "../internal/abort.ts";
import { closed, opened, type Transport } from "../transport/transport.ts";
import type { ResolvedGatewayOptions } from "./options.ts";

/** Milliseconds for which the outcome of a dial is reported. */
const CACHED_MS = 5_000;
const DIAL_TIMEOUT_MS = 5_000;

/** An HTTP response. */
interface Answer {
  readonly status: 200 | 503;
  readonly text: string;
}

/** Whether a page could be served now, for balancers. */
export class Readiness {
  readonly #transport: Transport | undefined;
  readonly #localReason: () => string | undefined;
  #checked: { readonly until: number; readonly outcome: Promise<unknown> } | undefined;
  #failedAt = Number.NEGATIVE_INFINITY;

  /** @param localReason Why no page can be served, whatever the exec-server does; undefined if one can. */
  constructor(upstream: ResolvedGatewayOptions["upstream"], localReason: () => string | undefined) {
    this.#transport = typeof upstream === "function" ? undefined : upstream;
    this.#localReason = localReason;
  }

  /** The exec-server could not be reached for a page. */
  dialFailed(): void {
    this.#failedAt = performance.now();
  }

  /**
   * Resolves with the reason why no page can be served, or undefined. A reconnectable exec-server is dialled. That of a
   * command is not started for it: a page's failed start counts for some seconds. One that is chosen for each page is not
   * judged, because one user's exec-server says nothing about the others'.
   */
  async problem(): Promise<string | undefined> {
    const local = this.#localReason();
    if (local !== undefined || !this.#transport) return local;
    const hasFailed = this.#transport.reconnectable
      ? (await this.upstreamError()) !== undefined
      : performance.now() - this.#failedAt < CACHED_MS;
    return hasFailed ? "the exec-server can't be reached" : undefined;
  }

  /** Dials the exec-server, and resolves with the error or undefined. Concurrent and close calls share one dial. */
  upstreamError(): Promise<unknown> {
    const now = performance.now();
    if (!this.#transport) return Promise.resolve(undefined);
    if (!this.#checked || this.#checked.until <= now) {
      this.#checked = { until: now + CACHED_MS, outcome: dialError(this.#transport) };
    }
    return this.#checked.outcome;
  }

  /** The response to `/livez` and `/readyz`; undefined for other requests. */
  async answer({ url = "" }: IncomingMessage): Promise<Answer | undefined> {
    if (url === "/livez") return { status: 200, text: "alive\n" };
    if (url !== "/readyz") return undefined;
    const problem = await this.problem();
    return problem === undefined
      ? { status: 200, text: "ready\n" }
      : { status: 503, text: `not ready: ${problem}\n` };
  }
}

/** An error of the SDK, whose message the log shows. */
export const dialTimeout = (ms: number): TimeoutError =>
  new TimeoutError("ERR_CONNECT_TIMEOUT", `Timed out after ${ms} ms while connecting to the exec-server`);

/** Dials and hangs up. Resolves with the error, or undefined. */
export async function dialError(transport: Transport): Promise<unknown> {
  const { signal, clear } = deadline({
    ms: DIAL_TIMEOUT_MS,
    timeoutError: () => dialTimeout(DIAL_TIMEOUT_MS),
  });
  try {
    const connection = await untilAborted(opened(transport, { signal }), signal, closed);
    await closed(connection);
    return undefined;
  } catch (error) {
    return error ?? new Error("The exec-server can't be reached");
  } finally {
    clear();
  }
}
