import type { ExecServerClient, LazyExecServerClient, Transport } from "../../../src/index.ts";
import type { Random } from "../../support/random.ts";
import type { Sdk } from "../../support/sdk.ts";
import { Violation } from "../../support/violation.ts";
import { type Account, Bookkeeper } from "./account.ts";
import { type Counts, Load, type LoadOptions } from "./load.ts";
import { Outages } from "./outages.ts";

/** Generous, for a machine that is busy with other things: a pause of this program takes nothing for silence. */
const KEEP_ALIVE = { intervalMs: 2_000, timeoutMs: 3_000 };
const CONNECT_MS = 4_000;
const WORKERS = 4;

export interface PlayerOptions
  extends Pick<LoadOptions, "name" | "directory" | "origin" | "sleep" | "listenersOf"> {
  readonly sdk: Pick<Sdk, "LazyExecServerClient" | "ExecServerError">;
  readonly random: Random;
  readonly transport: () => Transport;
  /** Told at once of what does not hold while it is at work. */
  readonly onViolation?: (violation: Violation) => void;
  /** Told of what nobody may remember any more. */
  readonly onRelease?: (client: LazyExecServerClient | ExecServerClient) => void;
}

/**
 * A program that works with its one client, wherever it runs: arguments and results are plain data. Each method rejects
 * with a Violation when something does not hold.
 */
export class Player {
  readonly #options: PlayerOptions;
  readonly #outages = new Outages();
  readonly #books: Bookkeeper;
  readonly #closed = new WeakSet<LazyExecServerClient>();
  readonly #load: Load;
  #lazy: LazyExecServerClient;
  #hanging: Promise<unknown>[] = [];
  #current: ExecServerClient | undefined;
  #violation: Violation | undefined;

  constructor(options: PlayerOptions) {
    this.#options = options;
    const onViolation = (violation: Violation): void => {
      this.#violation ??= violation;
      options.onViolation?.(violation);
    };
    this.#books = new Bookkeeper(onViolation);
    this.#lazy = this.#newClient();
    this.#load = new Load({
      ...options,
      workers: WORKERS,
      outages: this.#outages,
      client: () => this.#lazy,
      wasClosed: (client) => this.#closed.has(client),
      isOurs: (error) => error instanceof options.sdk.ExecServerError,
      onViolation,
    });
  }

  /** The live session; connects if there is none. */
  async session(): Promise<string> {
    this.#current = await this.#lazy.get();
    return this.#current.sessionId;
  }

  /** Resolves when the connection of that session is over. */
  async lost(): Promise<void> {
    const client = this.#current;
    this.#current = undefined;
    await client?.disconnected;
    if (client) this.#options.onRelease?.(client);
  }

  /** From now on things may fail; or may not any more. */
  async outage(isOne: boolean): Promise<void> {
    if (isOne) this.#outages.begin();
    else this.#outages.end();
  }

  /** Resolves when all that was begun has come to the end it should; nothing new begins. */
  async settle(): Promise<void> {
    this.#load.pause();
    await this.#load.quiet();
    if (this.#violation) throw this.#violation;
  }

  async resume(): Promise<void> {
    this.#load.resume();
  }

  /** What has not come to its end, and what the client has been through lately. */
  async left(): Promise<string> {
    return `${this.#load.left.join(", ")} (${JSON.stringify(this.#lazy.timeline.slice(-3))})`;
  }

  async counts(): Promise<Counts> {
    return this.#load.counts;
  }

  async account(): Promise<Account> {
    return this.#books.account;
  }

  /** Sends that many requests, and does not wait for them. */
  async hang(times: number): Promise<void> {
    const { origin } = this.#options;
    this.#hanging = Array.from({ length: times }, (_, n) => {
      return n % 2 === 0 ? this.#lazy.status() : this.#lazy.fetch(`${origin}/slow/asked/300`);
    });
    // They are looked at later.
    for (const promise of this.#hanging) promise.catch(() => {});
  }

  /** Resolves when all of them have been answered, or have failed with this code. */
  async hung(code: string): Promise<void> {
    for (const outcome of await Promise.allSettled(this.#hanging.splice(0))) {
      const isRight = outcome.status === "fulfilled" || outcome.reason?.code === code;
      if (!isRight) throw new Violation(`what hung on a connection failed with ${outcome.reason}`);
    }
  }

  /** Many who ask at once get one and the same: a client, whose session is returned, or an error. */
  async crowd(count: number): Promise<{ session: string } | { error: string }> {
    const outcomes = await Promise.all(
      Array.from({ length: count }, () => this.#lazy.get().catch((error: Error) => error)),
    );
    const [outcome, ...others] = new Set(outcomes);
    if (others.length > 0) throw new Violation(`a crowd got ${others.length + 1} different outcomes`);
    return outcome instanceof Error ? { error: String(outcome) } : { session: outcome?.sessionId ?? "" };
  }

  /** Closes the client, and makes another one. */
  async replaceClient(): Promise<void> {
    const old = this.#lazy;
    this.#lazy = this.#newClient();
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
    this.#books.watch(client);
    return client;
  }
}
