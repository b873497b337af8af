import { encodeBase64 } from "../internal/base64.ts";
import { bindMembers } from "../internal/bound.ts";
import { utf8 } from "../internal/bytes.ts";
import { deferred } from "../internal/deferred.ts";
import { guarded } from "../internal/guarded.ts";
import { aFunction, checkArgument, checkOptions } from "../internal/option-rules.ts";
import { platformClass } from "../internal/platform.ts";
import { launched } from "../process/launcher/launch.ts";
import { ERROR_LINE, reportLine } from "../process/launcher/report.ts";
import type { TerminalSize } from "../process/tty.ts";
import type { ParamsOf } from "../protocol/methods.ts";
import { toNativePath } from "../protocol/path-uri.ts";
import type { OutputStreamName, ProcessStartParams } from "../protocol/process.ts";
import { InputFrames } from "./input-frames.ts";
import { Recorder } from "./recorder.ts";
import { dataRule, EXIT_RULES, exitCodeRule, type TestExitOptions } from "./rules.ts";
import type { TestConnection } from "./test-connection.ts";

/** The numbers of the signals that end a process, on Linux. */
const ENDING_SIGNALS: Readonly<Record<string, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  XCPU: 24,
  XFSZ: 25,
  VTALRM: 26,
  PROF: 27,
  SYS: 31,
};

/** Milliseconds for which the real server keeps the id of a closed process reserved. */
const RESERVED_MS = 30_000;

/**
 * A process that an app has started, played by the test. Its events get consecutive sequence numbers.
 *
 * @example
 * server.onCommand(["serve"], (process) => {
 *   process.stderr("listening\n");
 *   process.onSignal((signal) => process.exit(signal === "SIGHUP" ? 0 : 1));
 * });
 * const serve = await app.start(["serve"], { signals: true });
 * await serve.kill("SIGHUP");
 * console.log((await serve.exited).exitCode); // 0
 */
export class TestProcess {
  /** Its id on the wire. */
  readonly processId: string;
  /** The program and its arguments, as the app passed them. */
  readonly argv: readonly string[];
  /** The working directory, as a native path. */
  readonly cwd: string;
  /** The params of `process/start` as received, with env, envPolicy, sandbox and all others. */
  readonly params: ParamsOf<"process/start">;
  /** Its process id; undefined if the app has started it so that it can't be signalled. */
  readonly pid: number | undefined;
  readonly #input = new Recorder<Uint8Array>();
  /** Set if the app can end the input. */
  readonly #frames: InputFrames | undefined;
  #onSignal: ((signal: string) => void) | undefined;
  readonly #ended = deferred<number>();
  readonly #isTerminal: boolean;
  #connection: TestConnection;
  #size: TerminalSize | undefined;
  #isRunning = true;
  #closedAt: number | undefined;
  #seq = 0;

  /** @internal Constructed for `process/start`. */
  constructor(params: ProcessStartParams, connection: TestConnection, pid: number) {
    bindMembers(this, TestProcess);
    const launch = launched(params.argv);
    const setup = launch?.setup;
    this.pid = launch && pid;
    if (setup?.type === "pipes" && setup.input) this.#frames = new InputFrames();
    this.processId = params.processId;
    this.argv = launch?.argv ?? params.argv;
    this.cwd = toNativePath(params.cwd);
    this.params = params;
    this.#connection = connection;
    this.#isTerminal = params.tty;
    this.#size = setup?.type === "terminal" ? setup.size : undefined;
    if (!this.#hasInput) this.#input.end(new Error("the input was never open"));
  }

  /** False after the process has exited. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Resolves with the exit code when the process exits: by {@link exit}, or because the app terminates it. */
  get ended(): Promise<number> {
    return this.#ended.promise;
  }

  /** The terminal's size as the app last set it; undefined without a terminal, or if no size was set. */
  get terminalSize(): TerminalSize | undefined {
    return this.#size;
  }

  /**
   * Everything that the app writes, from the start until the app ends the input or the process exits. It has ended from
   * the start if the app has not opened the input. An interrupt of a terminal reads as `\x03`.
   */
  get stdin(): AsyncIterable<string> {
    return decoded(this.#input);
  }

  /** @internal The same as bytes. */
  get input(): AsyncIterable<Uint8Array> {
    return this.#input;
  }

  /** Writes to standard output; with a terminal, to the terminal. */
  stdout(data: string | Uint8Array): void {
    this.#output(this.#isTerminal ? "pty" : "stdout", data);
  }

  /** Writes to standard error; with a terminal, to the terminal. */
  stderr(data: string | Uint8Array): void {
    this.#output(this.#isTerminal ? "pty" : "stderr", data);
  }

  /** Exits the process. Further calls do nothing. */
  exit(exitCode = 0, options: TestExitOptions = {}): void {
    checkArgument("exit(): exitCode", exitCode, exitCodeRule);
    checkOptions("exit()", options, EXIT_RULES);
    if (!this.#isRunning) return;
    this.#isRunning = false;
    const { sandboxDenied = false, keepsOutput = false } = options;
    this.#notify("process/exited", { exitCode, sandboxDenied });
    this.#input.end(new Error("the process has exited"));
    this.#ended.resolve(exitCode);
    if (!keepsOutput) this.closeOutput();
  }

  /**
   * Handles the signals that the app sends. Without a listener each one that ends a process exits it, with 128 and the
   * number of the signal.
   *
   * @param listener Called with the name, such as `"SIGUSR1"`. SIGKILL exits the process nevertheless.
   */
  onSignal(listener: (signal: string) => void): void {
    checkArgument("onSignal(): listener", listener, aFunction);
    this.#onSignal = listener;
  }

  /** Closes the output of a process that exited with `keepsOutput`. */
  closeOutput(): void {
    this.#closedAt ??= Date.now();
    this.#notify("process/closed", {});
  }

  /** Sends further events on another connection, to test late frames of an old session. */
  continueOn(connection: TestConnection): void {
    this.#connection = connection;
  }

  /** @internal Whether no other process can have the id yet. */
  get reservesId(): boolean {
    return this.#closedAt === undefined || Date.now() - this.#closedAt < RESERVED_MS;
  }

  /** @internal */
  receive(bytes: Uint8Array): "accepted" | "stdinClosed" {
    if (!this.#isRunning || !this.#hasInput) return "stdinClosed";
    for (const part of this.#frames?.push(bytes) ?? [bytes]) {
      if (part) this.#input.record(part);
      else this.#input.end(new Error("the input has ended"));
    }
    return "accepted";
  }

  /** @internal Reports the start as the launcher does. `about` is the device of the terminal. */
  report(about = this.#frames ? "fed" : ""): void {
    if (this.pid === undefined) return;
    if (!this.#isTerminal) this.stderr(ERROR_LINE);
    this.stdout(reportLine(this.pid, about));
  }

  /** @internal */
  receiveSignal(name: string): void {
    const exitCode = ENDING_SIGNALS[name];
    if (this.#onSignal && name !== "KILL") guarded(this.#onSignal, `SIG${name}`);
    else if (exitCode !== undefined) this.exit(128 + exitCode);
  }

  /** @internal */
  resize(size: TerminalSize): void {
    this.#size = size;
  }

  /** @internal */
  interrupt(): void {
    if (this.#isTerminal) this.receive(utf8("\x03"));
    else this.exit(130);
  }

  get #hasInput(): boolean {
    return this.#isTerminal || this.params.pipeStdin;
  }

  #output(stream: OutputStreamName, data: string | Uint8Array): void {
    checkArgument("data", data, dataRule);
    const chunk = encodeBase64(typeof data === "string" ? utf8(data) : data);
    this.#notify("process/output", { stream, chunk });
  }

  #notify(method: string, params: object): void {
    this.#connection.notify(method, { processId: this.processId, seq: ++this.#seq, ...params });
  }
}

async function* decoded(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new (platformClass("TextDecoder"))();
  for await (const chunk of chunks) yield decoder.decode(chunk, { stream: true });
}
