import { getEventListeners } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ExecServerError, LazyExecServerClient } from "../../src/index.ts";
import type { Random } from "../support/random.ts";
import type { Sdk } from "../support/sdk.ts";
import { Violation, within } from "../support/violation.ts";
import { type Account, Bookkeeper, since } from "./account.ts";
import { Load } from "./load/load.ts";
import { Outages } from "./load/outages.ts";
import { filesHeld, processesWith, untilNone } from "./residue.ts";
import type { Fault, Stage } from "./stage.ts";

/** Generous, for a machine that is busy with other things: a pause of this process takes nothing for silence. */
const KEEP_ALIVE = { intervalMs: 2_000, timeoutMs: 3_000 };
const CONNECT_MS = 4_000;
/** Within this the loss of a connection must be known, and be told to all who hang on it. */
const LOSS_MS = 45_000;
/** Within this everything that was begun must have come to an end, when nothing is in its way. */
const SETTLE_MS = 30_000;
/** What `close()` promises, and what a busy machine may add. */
const CLOSE_MS = 2_000 + 3_000;
const CROWD = 30;
/** What the server still works on when whoever asked has left takes no longer than this. */
const ORPHANS_MS = 700;
/** The one thing that goes wrong on purpose. */
const CLOSE = "the client is closed";

interface TrialOptions {
  readonly sdk: Sdk;
  readonly stage: Stage;
  readonly random: Random;
  readonly origin: string;
  readonly onViolation: (violation: Violation) => void;
}

/** A stage on which a client works, and where one thing after the other goes wrong. */
export class Trial {
  readonly stage: Stage;
  readonly load: Load;
  readonly books = new Bookkeeper();
  readonly #options: TrialOptions;
  readonly #directory = mkdtempSync(join(tmpdir(), "soak-"));
  readonly #outages = new Outages();
  readonly #closed = new WeakSet<LazyExecServerClient>();
  #lazy: LazyExecServerClient;

  constructor(options: TrialOptions) {
    this.#options = options;
    this.stage = options.stage;
    this.#lazy = this.#newClient();
    this.load = new Load({
      name: this.stage.name,
      random: options.random.fork(),
      workers: 4,
      directory: this.#directory,
      origin: options.origin,
      outages: this.#outages,
      client: () => this.#lazy,
      wasClosed: (client) => this.#closed.has(client),
      isOurs: (error): error is ExecServerError => error instanceof options.sdk.ExecServerError,
      sleep: (ms) => sleep(ms),
      listenersOf: (signal) => getEventListeners(signal, "abort").length,
      onViolation: options.onViolation,
    });
  }

  /** The names of all that can happen here. */
  get faults(): string[] {
    return [...Object.keys(this.stage.faults), CLOSE];
  }

  /** Lets one thing go wrong, sees what comes of it, and leaves a live connection. Throws a Violation. */
  async suffer(name: string): Promise<void> {
    const fault = this.stage.faults[name];
    // What is begun before this has its share of peace.
    await sleep(this.#options.random.below(200));
    if (fault) await this.#strike(fault);
    else await this.#close();
    this.#outages.end();
    this.load.resume();
  }

  /** Ends the client, and sees that nothing is left of it. */
  async leave(): Promise<void> {
    this.load.pause();
    await this.#settle();
    await this.#closeClient(this.#lazy);
    await this.#untilOpen(0);
    await this.stage.renew();
    await untilNone(`${this.stage.name}: processes are left on the server`, () =>
      processesWith("SOAK", this.stage.name),
    );
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** Begins again with a new client. */
  enter(): void {
    mkdirSync(this.#directory, { recursive: true });
    this.#lazy = this.#newClient();
    this.load.resume();
  }

  async end(): Promise<void> {
    this.load.stop();
    await this.stage[Symbol.asyncDispose]();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #strike(fault: Fault): Promise<void> {
    const { random } = this.#options;
    const client = await within(this.#lazy.get(), SETTLE_MS, "get()");
    if (fault.isSilent) await this.#becomeQuiet();
    const before = this.#balance();
    const hanging = fault.isSilent && this.stage.canPing ? this.#ask(CROWD) : [];
    if (fault.loses) this.#outages.begin();
    await fault.strike(random);
    if (fault.loses) await within(client.disconnected, LOSS_MS, "the loss of the connection");
    await this.#mayFailWith("ERR_DISCONNECTED", hanging);
    if (fault.isSilent) this.load.resume();
    if (fault.refuses) await this.#crowd();
    await sleep(random.below(400));
    await fault.repair?.();
    await this.#settle();
    if (!this.stage.transport().reconnectable && fault.loses) await this.#replaceClient();
    await this.#recover();
    this.#compare(before, fault);
  }

  /** By its owner, in the middle of everything. */
  async #close(): Promise<void> {
    await within(this.#lazy.get(), SETTLE_MS, "get()");
    const before = this.#balance();
    this.#outages.begin();
    const hanging = this.#ask(CROWD);
    await this.#replaceClient();
    await this.#mayFailWith("ERR_CLOSED", hanging);
    await this.#settle();
    await this.#recover();
    this.#compare(before, { loses: true });
  }

  /**
   * Silence is found by asking, and means nothing behind a request where there are no pings, nor behind much that is still
   * to be sent. Who has left may have left something to be done on the server.
   */
  async #becomeQuiet(): Promise<void> {
    await this.#settle();
    await sleep(ORPHANS_MS);
  }

  #ask(times: number): Promise<unknown>[] {
    const { origin } = this.#options;
    const asked = Array.from({ length: times }, (_, n) => {
      return n % 2 === 0 ? this.#lazy.status() : this.#lazy.fetch(`${origin}/slow/asked/300`);
    });
    // They are looked at later.
    for (const promise of asked) promise.catch(() => {});
    return asked;
  }

  async #mayFailWith(code: string, asked: readonly Promise<unknown>[]): Promise<void> {
    for (const outcome of await within(Promise.allSettled(asked), SETTLE_MS, "what hung on a connection")) {
      const isRight = outcome.status === "fulfilled" || outcome.reason?.code === code;
      if (!isRight) throw new Violation(`what hung on a connection failed with ${outcome.reason}`);
    }
  }

  async #replaceClient(): Promise<void> {
    const old = this.#lazy;
    this.#lazy = this.#newClient();
    await this.#closeClient(old);
  }

  async #closeClient(client: LazyExecServerClient): Promise<void> {
    this.#closed.add(client);
    await within(client.close(), CLOSE_MS, "close()");
  }

  #newClient(): LazyExecServerClient {
    const { sdk } = this.#options;
    const client = new sdk.LazyExecServerClient({
      transport: this.stage.transport(),
      keepAlive: KEEP_ALIVE,
      connectTimeoutMs: CONNECT_MS,
      initializeTimeoutMs: CONNECT_MS,
    });
    this.books.watch(client);
    return client;
  }

  /** Everything that was begun comes to an end. */
  async #settle(): Promise<void> {
    this.load.pause();
    await within(this.load.quiet(), SETTLE_MS, () => `${this.load.left.join(", ")}`);
  }

  /** All who ask get the same live client; nothing of what is over is left, here or on the server. */
  async #recover(): Promise<void> {
    const [client] = await this.#crowd();
    if (client instanceof Error || client === undefined)
      throw new Violation(`no connection after the repair: ${client}`);
    const { name } = this.stage;
    await this.#untilOpen(1);
    await untilNone(`${name}: the server holds files open`, () =>
      this.stage.pid === undefined ? [] : filesHeld(this.stage.pid, this.#directory),
    );
    await untilNone(`${name}: processes of ended work are left`, () =>
      processesWith("SOAK_SESSION", client.sessionId),
    );
  }

  /** Many who ask at once get one and the same: a client, or an error. */
  async #crowd() {
    const ask = async () => {
      try {
        return await this.#lazy.get();
      } catch (error) {
        return error as Error;
      }
    };
    const outcomes = await within(Promise.all(Array.from({ length: CROWD }, ask)), SETTLE_MS, "a crowd");
    const different = new Set(outcomes);
    if (different.size !== 1) throw new Violation(`a crowd got ${different.size} different outcomes`);
    return [...different];
  }

  #balance(): Account & { readonly dials: number } {
    return { ...this.books.account, dials: this.stage.dials };
  }

  /** Holds what was dialled against what had to be. */
  #compare(
    before: Account & { readonly dials: number },
    { loses, refuses }: Pick<Fault, "loses" | "refuses">,
  ): void {
    const dials = this.stage.dials - before.dials;
    const { attempts, connected, failed, abandoned } = since(before, this.books.account);
    const told = `${dials} dials, ${attempts} attempts: ${connected} connected, ${failed} failed, ${abandoned} abandoned`;
    const isAsManyDialsAsAttempts = dials <= attempts && dials >= attempts - abandoned;
    if (!isAsManyDialsAsAttempts) throw new Violation(`not one dial for each attempt: ${told}`);
    if (attempts !== connected + failed + abandoned)
      throw new Violation(`attempts without an outcome: ${told}`);
    if (connected !== (loses ? 1 : 0))
      throw new Violation(`not one new connection for each that was lost: ${told}`);
    if (failed > 0 && !refuses)
      throw new Violation(`an attempt failed although nothing stood in its way: ${told}`);
  }

  async #untilOpen(count: number): Promise<void> {
    const { stage } = this;
    await untilNone(`${stage.name}: not ${count} open connection`, () =>
      stage.open === count ? [] : [`${stage.open} are`],
    );
  }
}
