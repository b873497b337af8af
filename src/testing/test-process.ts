import { encodeBase64 } from "../internal/base64.ts";
import { bindMembers } from "../internal/bound.ts";
import { utf8 } from "../internal/bytes.ts";
import { deferred } from "../internal/deferred.ts";
import { checkArgument, checkOptions } from "../internal/option-rules.ts";
import { platformClass } from "../internal/platform.ts";
import type { TerminalSize } from "../process/tty.ts";
import { toNativePath } from "../protocol/path-uri.ts";
import type { OutputStreamName, ProcessStartParams } from "../protocol/process.ts";
import { Recorder } from "./recorder.ts";
import { dataRule, EXIT_RULES } from "./rules.ts";
import { terminalStart } from "./terminal.ts";
import type { TestConnection } from "./test-connection.ts";

/** A process that an app has started, played by the test. Its events get consecutive sequence numbers. */
export class TestProcess {
  /** Its id on the wire. */
  readonly processId: string;
  /** The program and its arguments, as the app passed them. */
  readonly argv: readonly string[];
  /** The working directory, as a native path. */
  readonly cwd: string;
  /** The params of `process/start` as received, with env, envPolicy, sandbox and all others. */
  readonly params: ProcessStartParams;
  readonly #input = new Recorder<Uint8Array>();
  readonly #ended = deferred<number>();
  readonly #isTerminal: boolean;
  #connection: TestConnection;
  #size: TerminalSize | undefined;
  #isRunning = true;
  #seq = 0;

  /** @internal Constructed for `process/start`. */
  constructor(params: ProcessStartParams, connection: TestConnection) {
    bindMembers(this, TestProcess);
    const terminal = params.tty ? terminalStart(params.argv) : undefined;
    this.processId = params.processId;
    this.argv = terminal?.argv ?? params.argv;
    this.cwd = toNativePath(params.cwd);
    this.params = params;
    this.#connection = connection;
    this.#isTerminal = params.tty;
    this.#size = terminal?.size;
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

  /** Everything that the app writes, from the start until the process exits. An interrupt of a terminal reads as `\x03`. */
  get stdin(): AsyncIterable<string> {
    return decoded(this.#input);
  }

  /** Writes to standard output; with a terminal, to the terminal. */
  stdout(data: string | Uint8Array): void {
    this.#output(this.#isTerminal ? "pty" : "stdout", data);
  }

  /** Writes to standard error; with a terminal, to the terminal. */
  stderr(data: string | Uint8Array): void {
    this.#output(this.#isTerminal ? "pty" : "stderr", data);
  }

  /**
   * Exits the process. Further calls do nothing.
   *
   * @param options `keepsOutput` leaves the output open until {@link closeOutput}, as a grandchild process does.
   */
  exit(
    exitCode = 0,
    options: { readonly sandboxDenied?: boolean; readonly keepsOutput?: boolean } = {},
  ): void {
    checkOptions("exit()", options, EXIT_RULES);
    if (!this.#isRunning) return;
    this.#isRunning = false;
    const { sandboxDenied = false, keepsOutput = false } = options;
    this.#notify("process/exited", { exitCode, sandboxDenied });
    this.#input.end(new Error("the process has exited"));
    this.#ended.resolve(exitCode);
    if (!keepsOutput) this.closeOutput();
  }

  /** Closes the output of a process that exited with `keepsOutput`. */
  closeOutput(): void {
    this.#notify("process/closed", {});
  }

  /** Sends further events on another connection, to test late frames of an old session. */
  continueOn(connection: TestConnection): void {
    this.#connection = connection;
  }

  /** @internal */
  receive(bytes: Uint8Array): "accepted" | "stdinClosed" {
    if (!this.#isRunning || !(this.#isTerminal || this.params.pipeStdin)) return "stdinClosed";
    this.#input.record(bytes);
    return "accepted";
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
