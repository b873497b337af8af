import { ClosedError, DisconnectedError, TimeoutError } from "../errors/connection.ts";
import { ProcessExitError, type RunResult } from "../errors/process.ts";
import { OverflowError } from "../errors/usage.ts";
import { deadline, isAbortReason, untilAborted } from "../internal/abort.ts";
import { invalid, unsupported } from "../internal/arguments.ts";
import type { OverflowPolicy } from "../internal/byte-queue.ts";
import { type Bytes, concatBytes, textOf } from "../internal/bytes.ts";
import { type Contents, contentsOf, type FileBytes, type FilePieces } from "../internal/contents.ts";
import { unobserved } from "../internal/deferred.ts";
import { Fifo } from "../internal/fifo.ts";
import { shownText } from "../internal/operation.ts";
import { aBoolean, anything, milliseconds, oneOf, type Rules } from "../internal/option-rules.ts";
import { settledWithin } from "../internal/timer.ts";
import { failureOfCall } from "../rpc/errors.ts";
import { outputLimits, START_HINTS, START_RULES, type StartOptions } from "./options.ts";
import type { ExecProcess } from "./process.ts";

/** Options of `run`. */
export interface RunOptions extends StartOptions {
  /**
   * What the program reads from its standard input, which then ends: text as UTF-8, bytes, a Blob, or a stream of any
   * size. If a stream fails, the program is terminated and the run rejects with the stream's error. A program may exit
   * without reading it all. Requires a POSIX server, otherwise it is `ERR_UNSUPPORTED`. @default no input
   */
  readonly input?: FileBytes | Blob | FilePieces | undefined;
  /** As for `start`, without `"pause"`: a run keeps its output. @default "fail" */
  readonly overflow?: OverflowPolicy | undefined;
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

/** Options of a `run` whose output is bytes. */
export interface RunBytesOptions extends RunOptions {
  /** Makes stdout and stderr of the result bytes. */
  readonly encoding: "bytes";
}

/** Options of a `run` whose output is text. */
export interface RunTextOptions extends RunOptions {
  /** Makes stdout and stderr of the result text. @default "utf8" */
  readonly encoding?: "utf8" | undefined;
}

type Start = (
  argv: readonly string[],
  options: StartOptions,
  needs?: { readonly inputEnd?: boolean },
) => Promise<ExecProcess>;
type Output = string | Bytes;

/** Milliseconds that a failed run waits for the end of its process after terminating it. */
const TERMINATE_GRACE_MS = 2_000;

export const RUN_RULES: Rules<RunOptions> = {
  ...START_RULES,
  encoding: oneOf("utf8", "bytes"),
  reject: aBoolean,
  timeoutMs: milliseconds,
  // Its kind is checked where it is read.
  input: anything,
  overflow: oneOf("fail", "drop-oldest"),
};

/** Options of Node's child_process and of execa, and what to do instead. */
export const RUN_HINTS: Readonly<Record<string, string>> = { ...START_HINTS, timeout: "use timeoutMs" };

/** The input of a run. Throws a UsageError for a value of another kind, and for options that exclude it. */
function inputOf({ input, stdin, tty }: RunOptions): Contents | undefined {
  if (input === undefined) return undefined;
  if (stdin === "ignore") invalid('stdin must be "pipe" or missing, because there is an input, got "ignore"');
  if (tty) unsupported("input can't be combined with tty: a terminal has no end of input");
  return contentsOf(input, "input");
}

/** Runs a command to its end and collects its output. Uses only the public API of a started process. */
export async function run(
  start: Start,
  argv: readonly string[],
  options: RunOptions = {},
): Promise<RunResult<Output>> {
  const { encoding, reject = true, timeoutMs, signal, overflow = "fail", ...rest } = options;
  const input = inputOf(options);
  const startOptions = { ...rest, overflow, ...(input && ({ stdin: "pipe" } as const)) };
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
    process = await start(argv, { ...startOptions, signal: limit.signal }, { inputEnd: input !== undefined });
    const result = await collect(process, limit.signal, { ...startOptions, encoding, signal }, input);
    if (reject && result.exitCode !== 0) {
      const details = { sessionId: process.sessionId, delivery: "answered" } as const;
      throw new ProcessExitError<Output>(result, details, lastLine(result.stderr));
    }
    return result;
  } catch (error) {
    // Nothing has read the input.
    if (input && !process) void unobserved(discard(input));
    throw error;
  } finally {
    limit.clear();
  }
}

/** Cancels the source of an input. */
async function discard(input: Contents): Promise<void> {
  if (input.bytes) return;
  for await (const _ of input.pieces(AbortSignal.abort())) return;
}

async function collect(
  process: ExecProcess,
  limit: AbortSignal,
  options: RunOptions,
  contents: Contents | undefined,
): Promise<RunResult<Output>> {
  const { budget, policy } = outputLimits(options);
  const stdout = new Collector(process.stdout, budget, policy);
  const stderr = new Collector(process.stderr, budget, policy);
  const texts = (): { stdout: Output; stderr: Output } =>
    options.encoding === "bytes"
      ? { stdout: stdout.bytes, stderr: stderr.bytes }
      : { stdout: textOf(stdout.bytes), stderr: textOf(stderr.bytes) };
  const all = Promise.all([process.closed, stdout.ended, stderr.ended]);
  const reading = new AbortController();
  const input = contents && unobserved(writeInput(process, contents, reading.signal));
  try {
    // The end of the input is not the end of the run, but a failure of it is.
    const [exit] = await untilAborted(Promise.race([all, input?.then(() => all) ?? all]), limit);
    return { ...exit, ...texts() };
  } catch (error) {
    // After the end of both, this sends nothing.
    const ended = unobserved(process.terminate()).then(() =>
      Promise.allSettled([process.closed, stdout.ended, stderr.ended]),
    );
    await settledWithin(ended, TERMINATE_GRACE_MS);
    // A descendant may hold the output open.
    stdout.stop();
    stderr.stop();
    if (isAbortReason(error, options.signal)) throw error;
    if (error instanceof TimeoutError) Object.assign(error, texts());
    // The command was started, and how far it got is unknown.
    if (error instanceof DisconnectedError || error instanceof ClosedError)
      throw failureOfCall(error, "unknown");
    throw error;
  } finally {
    reading.abort();
  }
}

/** Writes the input and its end. Rejects if the source fails, or a write unless the program has closed its input. */
async function writeInput(process: ExecProcess, contents: Contents, signal: AbortSignal): Promise<void> {
  const writer = process.stdin.getWriter();
  const isOpenAfter = async (step: Promise<void>): Promise<boolean> => {
    try {
      await step;
      return true;
    } catch {
      // The stream has errored: this is the reason.
      const reason: unknown = await writer.closed.catch((error: unknown) => error);
      if ((reason as { code?: unknown }).code === "ERR_STDIN_CLOSED") return false;
      throw reason;
    }
  };
  const pieces = contents.bytes ? [contents.bytes] : contents.pieces(signal);
  for await (const piece of pieces) if (!(await isOpenAfter(writer.write(piece)))) return;
  await isOpenAfter(writer.close());
}

/** Reads a stream to its end, and keeps what has arrived so far. */
class Collector {
  readonly #reader: ReadableStreamDefaultReader<Bytes>;
  readonly #kept = new Fifo<Bytes>();
  readonly #limit: number;
  readonly #policy: OverflowPolicy;
  #length = 0;
  /** Settles at the end of the stream. */
  readonly ended: Promise<void>;

  constructor(stream: ReadableStream<Bytes>, limit: number, policy: OverflowPolicy) {
    this.#reader = stream.getReader();
    this.#limit = limit;
    this.#policy = policy;
    this.ended = unobserved(this.#readAll());
  }

  /** The output until now. Decode it as a whole: a chunk can end in the middle of a character. */
  get bytes(): Bytes {
    const all = concatBytes([...this.#kept]);
    return all.subarray(Math.max(0, all.length - this.#limit));
  }

  /** Discards the rest of the stream. */
  stop(): void {
    void unobserved(this.#reader.cancel());
  }

  async #readAll(): Promise<void> {
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (done) return;
      this.#keep(value);
    }
  }

  #keep(chunk: Bytes): void {
    this.#kept.push(chunk);
    this.#length += chunk.length;
    if (this.#length > this.#limit && this.#policy === "fail") throw new OverflowError(this.#limit);
    for (let oldest = this.#kept.peek(); oldest; oldest = this.#kept.peek()) {
      if (this.#length - oldest.length < this.#limit) return;
      this.#length -= oldest.length;
      this.#kept.shift();
    }
  }
}

/** The last bytes that are searched for a line. */
const LAST_LINE_BYTES = 4096;

/** The last line of a text that is not empty, without colors and cursor movements. */
function lastLine(text: Output): string {
  const end = text.slice(-LAST_LINE_BYTES);
  const lines = (typeof end === "string" ? end : textOf(end))
    // biome-ignore lint/suspicious/noControlCharactersInRegex: terminals are controlled by these
    .replace(/\u001b(\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(\u0007|\u001b\\)?|[@-_])/g, "")
    .split(/[\r\n]+/);
  const shown = lines.map((line) => shownText(line).replace(/ +/g, " ").trim()).filter(Boolean);
  return shown.at(-1) ?? "";
}
