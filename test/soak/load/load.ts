import type {
  ExecServerClient,
  ExecServerError,
  LazyExecServerClient,
  ServerError,
} from "../../../src/index.ts";
import type { Random } from "../../support/random.ts";
import { Violation } from "../../support/violation.ts";
import { CALLS } from "./calls.ts";
import { FILES } from "./files.ts";
import { HTTP } from "./http.ts";
import type { Outages } from "./outages.ts";
import { PROCESSES } from "./processes.ts";
import type { Task, Work } from "./task.ts";

const WORK: Readonly<Record<string, Work>> = { ...CALLS, ...PROCESSES, ...FILES, ...HTTP };

export interface LoadOptions {
  /** Part of every name that is given. */
  readonly name: string;
  readonly random: Random;
  readonly workers: number;
  readonly directory: string;
  readonly origin: string;
  readonly outages: Outages;
  readonly client: () => LazyExecServerClient;
  /** Whether a client was closed on purpose. */
  readonly wasClosed: (client: LazyExecServerClient) => boolean;
  readonly isOurs: (error: unknown) => boolean;
  readonly sleep: (ms: number) => Promise<void>;
  /** How many listen to a signal, where that can be known. */
  readonly listenersOf?: (signal: AbortSignal) => number;
  readonly onViolation: (violation: Violation) => void;
}

export interface Counts {
  operations: number;
  /** Of them: what an outage, a close or a caller who left has ended. */
  lost: number;
  givenUp: number;
  bytes: number;
}

/** Workers who do one thing after the other with one client, and know what must come of each. */
export class Load {
  readonly counts: Counts = { operations: 0, lost: 0, givenUp: 0, bytes: 0 };
  readonly #options: LoadOptions;
  readonly #underWay = new Set<string>();
  #isStopped = false;
  /** Pending while nothing new is to begin. */
  #gate: Promise<void> = Promise.resolve();
  #openGate = (): void => {};
  #onQuiet: (() => void)[] = [];
  #number = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    for (let worker = 0; worker < options.workers; worker++) void this.#work(options.random.fork());
  }

  /** What is under way goes on, and nothing new begins. */
  pause(): void {
    this.#gate = new Promise((resolve) => {
      this.#openGate = resolve;
    });
  }

  resume(): void {
    this.#openGate();
  }

  /** What is under way. */
  get left(): readonly string[] {
    return [...this.#underWay];
  }

  /** Resolves when nothing is under way any more. */
  async quiet(): Promise<void> {
    while (this.#underWay.size > 0) await new Promise<void>((resolve) => this.#onQuiet.push(resolve));
  }

  stop(): void {
    this.#isStopped = true;
    this.#openGate();
  }

  async #work(random: Random): Promise<void> {
    for (;;) {
      await this.#gate;
      if (this.#isStopped) return;
      const kind = random.pick(Object.keys(WORK));
      const name = `${this.#options.name}-${kind}-${++this.#number}`;
      this.#underWay.add(name);
      await this.#perform(name, WORK[kind] as Work, random);
      this.#underWay.delete(name);
      if (this.#underWay.size === 0) for (const tell of this.#onQuiet.splice(0)) tell();
      await this.#options.sleep(random.below(20));
    }
  }

  async #perform(name: string, work: Work, random: Random): Promise<void> {
    const { outages, sleep, directory, origin } = this.#options;
    const client = this.#options.client();
    const mayBeLost = outages.watch();
    const stop = new AbortController();
    const reason = new Error(`${name} was given up`);
    if (random.chance(0.2)) void sleep(random.below(250)).then(() => stop.abort(reason));
    const task: Task = {
      client,
      random,
      name,
      signal: stop.signal,
      directory,
      origin,
      env: (session?: ExecServerClient) => ({
        // Unique: another soak may be under way on the same machine.
        SOAK: directory,
        SOAK_SESSION: session?.sessionId ?? "any",
      }),
      sleep,
      count: (bytes) => {
        this.counts.bytes += bytes;
      },
    };
    this.counts.operations++;
    const started = performance.now();
    try {
      await work(task);
    } catch (error) {
      if (error === reason && stop.signal.aborted) this.counts.givenUp++;
      else {
        this.counts.lost++;
        const after = `${name} after ${Math.round(performance.now() - started)} ms`;
        const violation = this.#judge(after, error, client, mayBeLost());
        if (violation) this.#options.onViolation(violation);
      }
    }
    await this.#checkListeners(name, stop.signal);
  }

  /** Returns what is wrong about an error, if anything is. */
  #judge(
    name: string,
    error: unknown,
    client: LazyExecServerClient,
    mayBeLost: boolean,
  ): Violation | undefined {
    if (error instanceof Violation) return error;
    const { isOurs, wasClosed } = this.#options;
    if (!isOurs(error)) return new Violation(`${name}: an error of a foreign class: ${described(error)}`);
    const { code, sessionId, delivery } = error as ExecServerError;
    switch (code) {
      case "ERR_DISCONNECTED":
        if (!mayBeLost) return new Violation(`${name}: a disconnect without an outage: ${described(error)}`);
        return sessionId === undefined
          ? new Violation(`${name}: a disconnect of no session: ${described(error)}`)
          : undefined;
      case "ERR_CONNECT":
      case "ERR_CONNECT_TIMEOUT":
      case "ERR_INITIALIZE_TIMEOUT":
        if (!mayBeLost) return new Violation(`${name}: no connection without an outage: ${described(error)}`);
        return delivery === "not-sent"
          ? undefined
          : new Violation(`${name}: ${code} with delivery ${delivery}`);
      case "ERR_SERVER":
        // A server that is told to stop fails what it works on.
        if (mayBeLost && (error as ServerError).rpcCode === -32603) return undefined;
        return new Violation(`${name}: ${described(error)}`);
      case "ERR_CLOSED":
        return wasClosed(client)
          ? undefined
          : new Violation(`${name}: closed by nobody: ${described(error)}`);
      default:
        return new Violation(`${name}: ${described(error)}`);
    }
  }

  async #checkListeners(name: string, signal: AbortSignal): Promise<void> {
    const { listenersOf, sleep, onViolation } = this.#options;
    if (!listenersOf) return;
    // What was given up may have something to clean up.
    for (let patience = 100; patience > 0 && listenersOf(signal) > 0; patience--) await sleep(50);
    const left = listenersOf(signal);
    if (left > 0) onViolation(new Violation(`${name}: ${left} listeners are left on its signal`));
  }
}

function described(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error as { cause?: { message?: string } };
  return `${error.stack ?? error.message}${cause ? `\n  because: ${cause.message}` : ""}`;
}
