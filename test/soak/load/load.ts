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
  /** Prefix of the name of every operation. */
  readonly name: string;
  readonly random: Random;
  readonly workers: number;
  readonly directory: string;
  readonly origin: string;
  readonly outages: Outages;
  readonly client: () => LazyExecServerClient;
  /** Whether the soak has closed this client. */
  readonly wasClosed: (client: LazyExecServerClient) => boolean;
  readonly isSdkError: (error: unknown) => boolean;
  readonly sleep: (ms: number) => Promise<void>;
  /** Number of listeners on a signal; absent where the platform cannot report it. */
  readonly listenersOf?: (signal: AbortSignal) => number;
  readonly onViolation: (violation: Violation) => void;
}

export interface Counts {
  operations: number;
  /** Operations that failed because of an outage or `close()`. */
  lost: number;
  /** Operations that their own signal aborted. */
  aborted: number;
  bytes: number;
}

/** Workers that each run one operation after the other on the shared client, and check every outcome. */
export class Load {
  readonly counts: Counts = { operations: 0, lost: 0, aborted: 0, bytes: 0 };
  readonly #options: LoadOptions;
  readonly #running = new Set<string>();
  #isStopped = false;
  /** Pending while new operations must not start. */
  #gate: Promise<void> = Promise.resolve();
  #openGate = (): void => {};
  #onIdle: (() => void)[] = [];
  #number = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    for (let worker = 0; worker < options.workers; worker++) void this.#work(options.random.fork());
  }

  /** Starts no new operations; those that are running continue. */
  pause(): void {
    this.#gate = new Promise((resolve) => {
      this.#openGate = resolve;
    });
  }

  resume(): void {
    this.#openGate();
  }

  /** Names of the operations that are running. */
  get running(): readonly string[] {
    return [...this.#running];
  }

  /** Resolves when no operation is running. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
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
      this.#running.add(name);
      await this.#perform(name, WORK[kind] as Work, random);
      this.#running.delete(name);
      if (this.#running.size === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
      await this.#options.sleep(random.below(20));
    }
  }

  async #perform(name: string, work: Work, random: Random): Promise<void> {
    const { outages, sleep, directory, origin } = this.#options;
    const client = this.#options.client();
    const mayBeLost = outages.watch();
    const controller = new AbortController();
    const reason = new Error(`${name} was aborted`);
    if (random.chance(0.2)) void sleep(random.below(250)).then(() => controller.abort(reason));
    const task: Task = {
      client,
      random,
      name,
      signal: controller.signal,
      directory,
      origin,
      env: (session?: ExecServerClient) => ({
        // Unique, because another soak may be running on the same machine.
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
      if (error === reason && controller.signal.aborted) this.counts.aborted++;
      else {
        this.counts.lost++;
        const label = `${name} after ${Math.round(performance.now() - started)} ms`;
        const violation = this.#violationOf(label, error, client, mayBeLost());
        if (violation) this.#options.onViolation(violation);
      }
    }
    await this.#checkListeners(name, controller.signal);
  }

  /** Returns a Violation for an error that no outage, close or abort explains. */
  #violationOf(
    name: string,
    error: unknown,
    client: LazyExecServerClient,
    mayBeLost: boolean,
  ): Violation | undefined {
    if (error instanceof Violation) return error;
    const { isSdkError, wasClosed } = this.#options;
    if (!isSdkError(error)) return new Violation(`${name}: not an error of the SDK: ${described(error)}`);
    const { code, sessionId, delivery } = error as ExecServerError;
    switch (code) {
      case "ERR_DISCONNECTED":
        if (!mayBeLost) return new Violation(`${name}: a disconnect without an outage: ${described(error)}`);
        return sessionId === undefined
          ? new Violation(`${name}: a disconnect without a session id: ${described(error)}`)
          : undefined;
      case "ERR_CONNECT":
      case "ERR_CONNECT_TIMEOUT":
      case "ERR_INITIALIZE_TIMEOUT":
        if (!mayBeLost) return new Violation(`${name}: no connection without an outage: ${described(error)}`);
        return delivery === "not-sent"
          ? undefined
          : new Violation(`${name}: ${code} with delivery ${delivery}`);
      case "ERR_SERVER":
        // A server fails the requests in flight when it receives SIGTERM.
        if (mayBeLost && (error as ServerError).rpcCode === -32603) return undefined;
        return new Violation(`${name}: ${described(error)}`);
      case "ERR_CLOSED":
        return wasClosed(client)
          ? undefined
          : new Violation(`${name}: ERR_CLOSED on a client that was not closed: ${described(error)}`);
      default:
        return new Violation(`${name}: ${described(error)}`);
    }
  }

  async #checkListeners(name: string, signal: AbortSignal): Promise<void> {
    const { listenersOf, sleep, onViolation } = this.#options;
    if (!listenersOf) return;
    // An aborted operation may still be cleaning up: wait up to 5 s.
    for (let checks = 100; checks > 0 && listenersOf(signal) > 0; checks--) await sleep(50);
    const remaining = listenersOf(signal);
    if (remaining > 0) onViolation(new Violation(`${name}: ${remaining} listeners are still on its signal`));
  }
}

function described(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error as { cause?: { message?: string } };
  return `${error.stack ?? error.message}${cause ? `\n  cause: ${cause.message}` : ""}`;
}
