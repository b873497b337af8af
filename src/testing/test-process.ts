import { encodeBase64 } from "../internal/base64.ts";
import { utf8 } from "../internal/bytes.ts";
import { deferred } from "../internal/deferred.ts";
import type { TerminalSize } from "../process/tty.ts";
import { toNativePath } from "../protocol/path-uri.ts";
import type { OutputStreamName, ProcessStartParams } from "../protocol/process.ts";
import { Arrivals } from "./recorder.ts";
import { terminalStart } from "./terminal.ts";
import type { TestConnection } from "./test-connection.ts";

/** A process that an app has started, for a test to play. Its events are numbered as the protocol wants them. */
export class TestProcess {
  /** Its name on the wire. */
  readonly processId: string;
  /** The program and its arguments, as the app gave them. */
  readonly argv: readonly string[];
  /** The working directory, native. */
  readonly cwd: string;
  /** The start as it came over the wire, `ParamsOf<"process/start">`: env, envPolicy, sandbox and the rest. */
  readonly params: ProcessStartParams;
  readonly #input = new Arrivals<Uint8Array>();
  readonly #ended = deferred<number>();
  readonly #isTerminal: boolean;
  #connection: TestConnection;
  #size: TerminalSize | undefined;
  #isRunning = true;
  #seq = 0;

  /** @internal Processes are made by `process/start`. */
  constructor(params: ProcessStartParams, connection: TestConnection) {
    const terminal = params.tty ? terminalStart(params.argv) : undefined;
    this.processId = params.processId;
    this.argv = terminal?.argv ?? params.argv;
    this.cwd = toNativePath(params.cwd);
    this.params = params;
    this.#connection = connection;
    this.#isTerminal = params.tty;
    this.#size = terminal?.size;
  }

  /** Whether it has not exited yet. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Resolves with the exit code when it has exited, whether by {@link exit} or because the app has terminated it. */
  get ended(): Promise<number> {
    return this.#ended.promise;
  }

  /** The terminal's size as the app last set it; undefined without one that was given a size. */
  get terminalSize(): TerminalSize | undefined {
    return this.#size;
  }

  /** What the app has written and will write, from the start, until the process exits. An interrupted terminal reads `\x03`. */
  get stdin(): AsyncIterable<string> {
    return decoded(this.#input);
  }

  /** Prints; in a terminal as the terminal does. */
  stdout(data: string | Uint8Array): void {
    this.#output(this.#isTerminal ? "pty" : "stdout", data);
  }

  /** Prints to standard error; in a terminal that is the same. */
  stderr(data: string | Uint8Array): void {
    this.#output(this.#isTerminal ? "pty" : "stderr", data);
  }

  /**
   * The process exits; only the first time counts.
   *
   * @param options `keepsOutput` leaves its output open, as a child of its own would, until {@link closeOutput}.
   */
  exit(
    exitCode = 0,
    options: { readonly sandboxDenied?: boolean; readonly keepsOutput?: boolean } = {},
  ): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    const { sandboxDenied = false, keepsOutput = false } = options;
    this.#notify("process/exited", { exitCode, sandboxDenied });
    this.#input.end(new Error("the process has exited"));
    this.#ended.resolve(exitCode);
    if (!keepsOutput) this.closeOutput();
  }

  /** Nothing more will be printed. */
  closeOutput(): void {
    this.#notify("process/closed", {});
  }

  /** Tells its further events on another connection: late frames of an old session. */
  continueOn(connection: TestConnection): void {
    this.#connection = connection;
  }

  /** @internal */
  receive(bytes: Uint8Array): "accepted" | "stdinClosed" {
    if (!this.#isRunning || !(this.#isTerminal || this.params.pipeStdin)) return "stdinClosed";
    this.#input.add(bytes);
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
    const chunk = encodeBase64(typeof data === "string" ? utf8(data) : data);
    this.#notify("process/output", { stream, chunk });
  }

  #notify(method: string, params: object): void {
    this.#connection.notify(method, { processId: this.processId, seq: ++this.#seq, ...params });
  }
}

async function* decoded(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const chunk of chunks) yield decoder.decode(chunk, { stream: true });
}
