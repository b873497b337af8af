import {
  ClosedError,
  DisconnectedError,
  OverflowError,
  ProcessExitError,
  type RunResult,
  TimeoutError,
} from "../errors.ts";
import { deadline, isAbortReason, untilAborted } from "../internal/abort.ts";
import type { OverflowPolicy } from "../internal/byte-queue.ts";
import { type Bytes, concatBytes, textOf } from "../internal/bytes.ts";
import { unobserved } from "../internal/deferred.ts";
import { Fifo } from "../internal/fifo.ts";
import { settledWithin } from "../internal/timer.ts";
import { failureOfCall } from "../rpc/errors.ts";
import { outputLimits, type StartOptions } from "./options.ts";
import type { ExecProcess } from "./process.ts";

/** Options of `run`. */
export interface RunOptions extends StartOptions {
  /** Whether stdout and stderr of the result are text or bytes. @default "utf8" */
  readonly encoding?: "utf8" | "bytes" | undefined;
  /** Whether a non-zero exit code rejects with a ProcessExitError. @default true */
  readonly reject?: boolean | undefined;
  /**
   * Time limit of the whole run in milliseconds, from connecting to the last output. Beyond it the process is terminated
   * and the run rejects with a TimeoutError `ERR_TIMEOUT` that holds the output until then. @default none
   */
  readonly timeoutMs?: number | undefined;
}

type Start = (argv: readonly string[], options: StartOptions) => Promise<ExecProcess>;
type Output = string | Bytes;

/** Milliseconds that a failed run waits for the end of its process after terminating it. */
const TERMINATE_GRACE_MS = 2_000;

/** Runs a command to its end and collects its output. Uses only the public API of a started process. */
export async function run(
  start: Start,
  argv: readonly string[],
  options: RunOptions = {},
): Promise<RunResult<Output>> {
  const { encoding, reject = true, timeoutMs, signal, ...startOptions } = options;
  let process: ExecProcess | undefined;
  const limit = deadline({
    ms: timeoutMs,
    signal,
    timeoutError: () =>
      new TimeoutError("ERR_TIMEOUT", `Timed out after ${timeoutMs} ms while running the command`, {
        sessionId: process?.sessionId,
        delivery: process ? "answered" : "unknown",
      }),
  });
  try {
    process = await start(argv, { ...startOptions, signal: limit.signal });
    const result = await collect(process, limit.signal, { ...startOptions, encoding, signal });
    if (reject && result.exitCode !== 0) {
      throw new ProcessExitError(result, { sessionId: process.sessionId, delivery: "answered" });
    }
    return result;
  } finally {
    limit.clear();
  }
}

async function collect(
  process: ExecProcess,
  limit: AbortSignal,
  options: RunOptions,
): Promise<RunResult<Output>> {
  const { budget, policy } = outputLimits(options);
  const output = Promise.all([
    readAll(process.stdout, budget, policy),
    readAll(process.stderr, budget, policy),
    // Decoded as a whole: a chunk can end in the middle of a character.
  ]).then(([stdout, stderr]) =>
    options.encoding === "bytes" ? { stdout, stderr } : { stdout: textOf(stdout), stderr: textOf(stderr) },
  );
  let printed: Awaited<typeof output> | undefined;
  const all = Promise.all([
    process.closed,
    output.then((value) => {
      printed = value;
      return value;
    }),
  ]);
  try {
    const [exit, texts] = await untilAborted(all, limit);
    return { ...exit, ...texts };
  } catch (error) {
    const ended = unobserved(process.terminate()).then(() => Promise.allSettled([process.closed, output]));
    await settledWithin(ended, TERMINATE_GRACE_MS);
    if (isAbortReason(error, options.signal)) throw error;
    if (error instanceof TimeoutError) Object.assign(error, printed);
    // The command was started, and how far it got is unknown.
    if (error instanceof DisconnectedError || error instanceof ClosedError)
      throw failureOfCall(error, "unknown");
    throw error;
  }
}

async function readAll(stream: ReadableStream<Bytes>, limit: number, policy: OverflowPolicy): Promise<Bytes> {
  const kept = new Fifo<Bytes>();
  let length = 0;
  for await (const chunk of stream) {
    kept.push(chunk);
    length += chunk.length;
    if (length > limit && policy === "fail") throw new OverflowError(limit);
    for (let oldest = kept.peek(); oldest && length - oldest.length >= limit; oldest = kept.peek()) {
      length -= oldest.length;
      kept.shift();
    }
  }
  const all = concatBytes([...kept]);
  return all.subarray(Math.max(0, all.length - limit));
}
