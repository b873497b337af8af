import {
  ClosedError,
  DisconnectedError,
  OverflowError,
  ProcessExitError,
  type RunResult,
  TimeoutError,
} from "../errors.ts";
import { deadline, untilAborted } from "../internal/abort.ts";
import type { OverflowPolicy } from "../internal/byte-queue.ts";
import { type Bytes, concatBytes, textOf } from "../internal/bytes.ts";
import { unobserved } from "../internal/deferred.ts";
import { Fifo } from "../internal/fifo.ts";
import { settledWithin } from "../internal/timer.ts";
import { failureOfCall } from "../rpc/errors.ts";
import { outputLimits, type StartOptions } from "./options.ts";
import type { ExecProcess } from "./process.ts";

/** How a command is run to its end. */
export interface RunOptions extends StartOptions {
  /** Whether stdout and stderr come as text or as bytes. @default "utf8" */
  readonly encoding?: "utf8" | "bytes" | undefined;
  /** Whether a non-zero exit code is a ProcessExitError. @default true */
  readonly reject?: boolean | undefined;
  /**
   * Milliseconds the whole run may take, from connecting to the last output; then the process is terminated and a
   * TimeoutError `ERR_TIMEOUT` tells what it had printed. @default none
   */
  readonly timeoutMs?: number | undefined;
}

type Start = (argv: readonly string[], options: StartOptions) => Promise<ExecProcess>;
type Output = string | Bytes;

/** How long a run that is given up waits for its process to end. */
const TERMINATE_GRACE_MS = 2_000;

/** Runs a command to its end and collects its output. Built on nothing but what every user of `start` has. */
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
      new TimeoutError("ERR_TIMEOUT", `The command did not end within ${timeoutMs} ms`, {
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
    // Only over the whole: a character may be cut anywhere between two pieces.
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
    // The reason of an abort may be an error of the SDK, too, but tells nothing of this run.
    if (error === options.signal?.reason) throw error;
    if (error instanceof TimeoutError) Object.assign(error, printed);
    // It was started, and nobody knows how far it came.
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
