import type { ExecProcess, ExecServerClient, LazyExecServerClient } from "../../../src/index.ts";
import type { Random } from "../../support/random.ts";
import { Violation } from "../../support/violation.ts";

/** What one piece of work has to do with. */
export interface Task {
  readonly client: LazyExecServerClient;
  readonly random: Random;
  /** Unique; part of all that is written, so that nothing can be taken for another's. */
  readonly name: string;
  /** Aborts at some time, or never. */
  readonly signal: AbortSignal;
  /** Of its own for files, on the server's machine; there already. */
  readonly directory: string;
  /** Where the server's requests go. */
  readonly origin: string;
  /** The variable that tells whose a process is. */
  env(session?: ExecServerClient): Record<string, string>;
  sleep(ms: number): Promise<void>;
  /** Bytes that came as they should. */
  count(bytes: number): void;
}

/**
 * Knows what must come of it, and throws a Violation for anything else. Errors of the SDK that it does not expect go
 * through: whether they may be is for the caller to judge.
 */
export type Work = (task: Task) => Promise<void>;

const encoder = new TextEncoder();

/** Bytes that must come each once and in order. */
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

  /** There is no more to come. */
  end(): void {
    if (this.isComplete) return;
    throw new Violation(`${this.#what}: a clean end after ${this.#at} of ${this.#bytes.length} bytes`);
  }
}

export function mustBe(holds: boolean, what: string): void {
  if (!holds) throw new Violation(what);
}

/** The numbered lines that `seq -f` prints. */
export function lines(label: string, count: number): string {
  return Array.from({ length: count }, (_, n) => `${label} ${n + 1}\n`).join("");
}

/** What became of a promise: its error, or undefined. */
export async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    return error ?? new Violation("rejected with nothing");
  }
}

/**
 * Waits for all, and throws the first error there was; a Violation before any other, and nothing is left unobserved.
 */
export async function all(work: readonly Promise<unknown>[]): Promise<void> {
  const errors = (await Promise.all(work.map(errorOf))).filter((error) => error !== undefined);
  if (errors.length > 0) throw errors.find((error) => error instanceof Violation) ?? errors[0];
}

/** Reads a process to its end: an output that ends cleanly has its exit, one that fails has the error of its process. */
export async function toItsEnd(process: ExecProcess, reading: Promise<void>): Promise<{ exitCode: number }> {
  const error = await errorOf(reading);
  const closedError = await errorOf(process.closed);
  if (error === undefined) {
    mustBe(closedError === undefined, "the output ended cleanly, but its process failed");
    const { exitCode } = await process.closed;
    mustBe((await process.exited).exitCode === exitCode, "exited and closed tell different exit codes");
    return { exitCode };
  }
  if (error instanceof Violation) throw error;
  mustBe(closedError === error, `the output failed with ${error}, and its process with ${closedError}`);
  const exitError = await errorOf(process.exited);
  mustBe(
    exitError === undefined || exitError === error,
    "the exit failed with another error than the output",
  );
  throw error;
}
