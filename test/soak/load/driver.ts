import type { ExecServerClient, LazyExecServerClient, Transport } from "../../../src/index.ts";
import type { Random } from "../../support/random.ts";
import type { Sdk } from "../../support/sdk.ts";
import { Violation } from "../../support/violation.ts";
import { ConnectionCounter, type ConnectionCounts } from "./connection-counter.ts";
import { type Counts, Load, type LoadOptions } from "./load.ts";
import { Outages } from "./outages.ts";

/** Long enough that a pause of this process on a busy machine is not detected as a silent connection. */
const KEEP_ALIVE = { intervalMs: 2_000, timeoutMs: 3_000 };
const CONNECT_MS = 4_000;
const WORKERS = 4;

export interface LoadDriverOptions
  extends Pick<LoadOptions, "name" | "directory" | "origin" | "sleep" | "listenersOf"> {
  readonly sdk: Pick<Sdk, "LazyExecServerClient" | "ExecServerError">;
  readonly random: Random;
  readonly transport: () => Transport;
  /** Called as soon as an operation has found a violation. */
  readonly onViolation?: (violation: Violation) => void;
  /** Called with clients that must now be collectable as garbage. */
  readonly onRelease?: (client: LazyExecServerClient | ExecServerClient) => void;
}

/**
 * Runs the load on one client, in this process or in a page: arguments and results are plain data. Each method rejects
 * with a Violation when a promise of the SDK is broken.
 */
export class LoadDriver {
  readonly #options: LoadDriverOptions;
  readonly #outages = new Outages();
  readonly #connections: ConnectionCounter;
  readonly #closed = new WeakSet<LazyExecServerClient>();
  readonly #load: Load;
  #client: LazyExecServerClient;
  #requests: Promise<unknown>[] = [];
  #current: ExecServerClient | undefined;
  #violation: Violation | undefined;

  constructor(options: LoadDriverOptions) {
    this.#options = options;
    const onViolation = (violation: Violation): void => {
      this.#violation ??= violation;
      options.onViolation?.(violation);
    };
    this.#connections = new ConnectionCounter(onViolation);
    this.#client = this.#newClient();
    this.#load = new Load({
      ...options,
      workers: WORKERS,
      outages: this.#outages,
      client: () => this.#client,
      wasClosed: (client) => this.#closed.has(client),
      isSdkError: (error) => error instanceof options.sdk.ExecServerError,
      onViolation,
    });
  }

  /** Id of the live session; connects if there is none. */
  async session(): Promise<string> {
    this.#current = await this.#client.get();
    return this.#current.sessionId;
  }

  /** Resolves when the connection of the session that `session()` has returned ends. */
  async disconnected(): Promise<void> {
    const client = this.#current;
    this.#current = undefined;
    await client?.disconnected;
    if (client) this.#options.onRelease?.(client);
  }

  /** Sets whether operations may fail from now on. */
  async setOutage(isActive: boolean): Promise<void> {
    if (isActive) this.#outages.begin();
    else this.#outages.end();
  }

  /** Starts no new operations. Resolves when those that are running have settled as expected. */
  async settle(): Promise<void> {
    this.#load.pause();
    await this.#load.idle();
    if (this.#violation) throw this.#violation;
  }

  async resume(): Promise<void> {
    this.#load.resume();
  }

  /** Names of the operations that are running, and the end of the timeline of the client. */
  async pendingOperations(): Promise<string> {
    return `${this.#load.running.join(", ")} (${JSON.stringify(this.#client.timeline.slice(-3))})`;
  }

  async counts(): Promise<Counts> {
    return this.#load.counts;
  }

  async connectionCounts(): Promise<ConnectionCounts> {
    return this.#connections.counts;
  }

  /** Sends this many requests without waiting for their responses. */
  async sendRequests(count: number): Promise<void> {
    const { origin } = this.#options;
    this.#requests = Array.from({ length: count }, (_, n) => {
      return n % 2 === 0 ? this.#client.status() : this.#client.fetch(`${origin}/slow/pending/300`);
    });
    // `requestsSettled()` checks the outcomes.
    for (const promise of this.#requests) promise.catch(() => {});
  }

  /** Resolves when each request of `sendRequests()` has a response or has rejected with this code. */
  async requestsSettled(code: string): Promise<void> {
    for (const outcome of await Promise.allSettled(this.#requests.splice(0))) {
      const isRight = outcome.status === "fulfilled" || outcome.reason?.code === code;
      if (!isRight) throw new Violation(`a request in flight rejected with ${outcome.reason}`);
    }
  }

  /** Concurrent `get()` calls must share one outcome: a client, whose session is returned, or an error. */
  async getConcurrently(count: number): Promise<{ session: string } | { error: string }> {
    const outcomes = await Promise.all(
      Array.from({ length: count }, () => this.#client.get().catch((error: Error) => error)),
    );
    const [outcome, ...others] = new Set(outcomes);
    if (others.length > 0)
      throw new Violation(`concurrent get() calls got ${others.length + 1} different outcomes`);
    return outcome instanceof Error ? { error: String(outcome) } : { session: outcome?.sessionId ?? "" };
  }

  /** Closes the client and creates another one. */
  async replaceClient(): Promise<void> {
    const old = this.#client;
    this.#client = this.#newClient();
    this.#current = undefined;
    this.#closed.add(old);
    this.#options.onRelease?.(old);
    await old.close();
  }

  async stop(): Promise<void> {
    this.#load.stop();
  }

  #newClient(): LazyExecServerClient {
    const client = new this.#options.sdk.LazyExecServerClient({
      transport: this.#options.transport(),
      keepAlive: KEEP_ALIVE,
      connectTimeoutMs: CONNECT_MS,
      initializeTimeoutMs: CONNECT_MS,
    });
    this.#connections.watch(client);
    return client;
  }
}
