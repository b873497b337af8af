import type { ExecProcess, ExecServerClient, LazyExecServerClient } from "../../../src/index.ts";
import type { Random } from "../../support/random.ts";
import { Violation } from "../../support/violation.ts";

/** The inputs of one operation. */
export interface Task {
  readonly client: LazyExecServerClient;
  readonly random: Random;
  /** Unique. Part of everything the operation writes, so that data of two operations cannot be confused. */
  readonly name: string;
  /** May abort at any time. */
  readonly signal: AbortSignal;
  /** An existing directory for files, on the server's machine. */
  readonly directory: string;
  /** URL of the HTTP server that receives the exec-server's requests. */
  readonly origin: string;
  /** Environment variables that mark a process as started by this soak, and by this session. */
  env(session?: ExecServerClient): Record<string, string>;
  sleep(ms: number): Promise<void>;
  /** Adds to the number of bytes received correctly. */
  count(bytes: number): void;
}

/**
 * One operation that checks its own result and throws a Violation when the result is wrong. Unexpected errors of the SDK
 * are rethrown; the caller decides whether an outage explains them.
 */
export type Work = (task: Task) => Promise<void>;

const encoder = new TextEncoder();

/** Checks that every byte arrives once and in order. */
export class Expected {
  readonly #what: string;
  readonly #bytes: Uint8Array;
  readonly #count: (bytes: number) => void;
  #at = 0;

  constructor(what: string, content: string | Uint8Array, { count }: Pick<Task, "count">) {
    this.#what = what;
    this.#bytes = typeof content === "string" ? encoder.encode(content) : content;
    this.#count = count;
  }

  get isComplete(): boolean {
    return this.#at === this.#bytes.length;
  }

  take(chunk: Uint8Array): void {
    for (const byte of chunk) {
      if (byte !== this.#bytes[this.#at]) throw new Violation(`${this.#what}: byte ${this.#at} is wrong`);
      this.#at++;
    }
    this.#count(chunk.length);
  }

  async takeAll(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of chunks) this.take(chunk);
  }

  /** Throws a Violation when the data ended early. */
  end(): void {
    if (this.isComplete) return;
    throw new Violation(
      `${this.#what}: ended without an error after ${this.#at} of ${this.#bytes.length} bytes`,
    );
  }
}

export function assertHolds(condition: boolean, message: string): void {
  if (!condition) throw new Violation(message);
}

/** The numbered lines that `seq -f` prints. */
export function lines(label: string, count: number): string {
  return Array.from({ length: count }, (_, n) => `${label} ${n + 1}\n`).join("");
}

/** Resolves with the error of a rejected promise, or with undefined. */
export async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    return error ?? new Violation("rejected with undefined");
  }
}

/** Waits until every promise has settled. Then throws a Violation if there is one, otherwise the first error. */
export async function settleAll(work: readonly Promise<unknown>[]): Promise<void> {
  const errors = (await Promise.all(work.map(errorOf))).filter((error) => error !== undefined);
  if (errors.length > 0) throw errors.find((error) => error instanceof Violation) ?? errors[0];
}

/** Reads a process to its end. Checks that the output, `exited` and `closed` have the same outcome. */
export async function readToEnd(process: ExecProcess, reading: Promise<void>): Promise<{ exitCode: number }> {
  const error = await errorOf(reading);
  const closedError = await errorOf(process.closed);
  if (error === undefined) {
    assertHolds(closedError === undefined, `the output ended cleanly, its process with ${closedError}`);
    const { exitCode } = await process.closed;
    assertHolds((await process.exited).exitCode === exitCode, "exited and closed have different exit codes");
    return { exitCode };
  }
  if (error instanceof Violation) throw error;
  assertHolds(closedError === error, `the output failed with ${error}, its process with ${closedError}`);
  const exitError = await errorOf(process.exited);
  assertHolds(
    exitError === undefined || exitError === error,
    "the exit failed with another error than the output",
  );
  throw error;
}
