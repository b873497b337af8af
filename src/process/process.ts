import { bindMembers } from "../internal/bound.ts";
import { asyncDispose } from "../internal/dispose.ts";
import { inOperation, type Operation } from "../internal/operation.ts";
import type { RpcPeer } from "../rpc/peer.ts";
import type { OutputChunk } from "./events.ts";
import { signalName } from "./signals.ts";
import type { ProcessExit, ProcessState, TerminateResult } from "./state.ts";
import { stdinStream } from "./stdin-stream.ts";
import { checkSize, type TerminalSize } from "./tty.ts";

/**
 * A process on the server's machine. It belongs to the connection that started it. When that connection ends, every
 * pending promise and stream of the process fails with the connection's error; output that has arrived is delivered
 * first.
 *
 * The output can be read as one sequence (`for await (const { stream, chunk } of process)`) or as `stdout` and `stderr`.
 * The first reader decides; reading the other way then throws `ERR_OUTPUT_CLAIMED`. Ending a read early never stops the
 * process.
 *
 * @example
 * const shell = await client.start(["sh"], { stdin: "pipe" });
 * await shell.write("echo $((40 + 2))\nexit 3\n");
 * const text = new TextDecoder();
 * for await (const { stream, chunk } of shell) console.log(stream, text.decode(chunk));
 * const { exitCode } = await shell.closed; // 3
 */
export class ExecProcess implements AsyncDisposable {
  /** Id of the process in the session: the option `processId`, or a random id. */
  readonly processId: string;
  /** Id of the session that started the process. */
  readonly sessionId: string;
  /** What the errors of its methods name. */
  readonly #operation: Operation;
  readonly #rpc: RpcPeer;
  readonly #state: ProcessState;
  #stdin: WritableStream<string | Uint8Array> | undefined;
  #terminating: Promise<TerminateResult> | undefined;

  /** @internal Created by `start`. */
  constructor(parts: {
    processId: string;
    sessionId: string;
    operation: Operation;
    rpc: RpcPeer;
    state: ProcessState;
  }) {
    this.processId = parts.processId;
    this.sessionId = parts.sessionId;
    this.#operation = parts.operation;
    this.#rpc = parts.rpc;
    this.#state = parts.state;

    bindMembers(this, ExecProcess);
  }

  /**
   * Standard output as bytes; all output if the process runs in a terminal. Ends when the process is closed.
   *
   * @throws UsageError `ERR_OUTPUT_CLAIMED`, by its reader, when the output is already read as one sequence.
   * @example
   * const log = await client.start(["cat", "/var/log/huge.log"]);
   * await log.stdout.pipeTo(client.fs.createWriteStream("/backup/huge.log"));
   */
  get stdout(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#state.output.stdout;
  }

  /**
   * Standard error as bytes.
   *
   * @throws UsageError `ERR_OUTPUT_CLAIMED`, by its reader, when the output is already read as one sequence.
   * @example
   * const check = await client.start(["sh", "-c", "echo careful >&2"]);
   * const text = new TextDecoder();
   * for await (const chunk of check.stderr) console.warn(text.decode(chunk));
   */
  get stderr(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#state.output.stderr;
  }

  /**
   * All output in the order in which the server received it.
   *
   * @throws UsageError `ERR_OUTPUT_CLAIMED` when stdout or stderr is already read as a stream.
   * @throws OverflowError beyond `maxBufferedBytes`, after what was kept, with `overflow: "fail"`.
   * @example
   * const tests = await client.start(["sh", "-c", "echo passed"]);
   * const text = new TextDecoder();
   * for await (const { stream, chunk } of tests) console.log(stream, text.decode(chunk));
   */
  [Symbol.asyncIterator](): AsyncIterator<OutputChunk, undefined> {
    return this.#state.output.iterate();
  }

  /**
   * Resolves when the process has exited, whether its output is read or not.
   *
   * @throws the connection's error if the connection ends first.
   * @example
   * const job = await client.start(["sleep", "0.1"]);
   * const { exitCode, sandboxDenied } = await job.exited;
   */
  get exited(): Promise<ProcessExit> {
    return this.#state.exited;
  }

  /**
   * Resolves when the process has exited and all of its output has arrived. A descendant that keeps the output open
   * delays this.
   *
   * @throws the connection's error if the connection ends first.
   * @example
   * const job = await client.start(["ls", "/work"]);
   * const { exitCode } = await job.closed;
   * console.log(exitCode, await new Response(job.stdout).text());
   */
  get closed(): Promise<ProcessExit> {
    return this.#state.closed;
  }

  /** Number of bytes dropped so far because of `overflow: "drop-oldest"`. */
  get droppedBytes(): number {
    return this.#state.output.droppedBytes;
  }

  /**
   * The process id on the server's machine. Undefined where the process can't be signalled: without `signals`, a terminal
   * or `stdin: "pipe"`, on a server that is not POSIX, and in a sandbox that restricts anything.
   *
   * @example
   * await using server = await client.start(["sleep", "60"], { signals: true });
   * console.log(server.pid);
   */
  get pid(): number | undefined {
    return this.#state.control.pid;
  }

  /**
   * Standard input as a stream, with strings as UTF-8. Its writes are those of {@link write}. `close()` ends the input:
   * the program reads the end of the file. That requires `stdin: "pipe"` on a POSIX server, otherwise it rejects with
   * `ERR_UNSUPPORTED`. An abort, for example by a pipe whose source fails, terminates the process. When the process has
   * exited, the stream errors with `ERR_STDIN_CLOSED`.
   *
   * @example
   * const sort = await client.start(["sort"], { stdin: "pipe" });
   * await new Blob(["b\n", "a\n"]).stream().pipeTo(sort.stdin); // and ends the input
   * console.log(await new Response(sort.stdout).text());
   */
  get stdin(): WritableStream<string | Uint8Array> {
    const { stdin } = this.#state;
    this.#stdin ??= stdinStream(
      {
        write: (data) => this.#in("write", () => stdin.write(data)),
        end: () => this.#in("stdin.close", () => stdin.end()),
        onEnd: (listener) => stdin.onEnd(listener),
      },
      () => this.terminate(),
    );
    return this.#stdin;
  }

  /**
   * Writes to standard input: a string as UTF-8, or bytes. They are sent in order, in pieces of at most 1 MiB, each after
   * the response to the previous one; what is written meanwhile is merged into one piece. A write that failed can have
   * arrived in part, and of several in one piece it is unknown which have. Do not change the data before the write has
   * settled.
   *
   * @throws UsageError `ERR_STDIN_CLOSED` without `stdin: "pipe"` or a terminal, and after the process has exited. The
   * server does not report that a program has closed its own input: what is written then is lost.
   * @example
   * await using shell = await client.start(["sh"], { stdin: "pipe" });
   * await shell.write("echo ready\n");
   * await shell.write(new Uint8Array([0x6c, 0x73, 0x0a]));
   */
  async write(data: string | ArrayBufferView | ArrayBuffer): Promise<void> {
    await this.#in("write", () => this.#state.stdin.write(data));
  }

  /**
   * Changes the size of the terminal; the program receives SIGWINCH. Runs `stty` on the server, so it requires a POSIX
   * system. While a size is being set only the newest of further sizes is kept; the calls for the others resolve with it.
   *
   * @throws UsageError `ERR_UNSUPPORTED` without a terminal, on Windows, or after the process has exited.
   * @example
   * await using shell = await client.start(["sh"], { tty: { rows: 24, cols: 80 } });
   * await shell.resize({ rows: 40, cols: 120 });
   */
  async resize(size: TerminalSize): Promise<void> {
    await this.#in("resize", async () => {
      const { rows, cols } = checkSize(size);
      await this.#state.control.resize({ rows, cols });
    });
  }

  /**
   * Sends an interrupt: Ctrl-C in a terminal, otherwise SIGINT. {@link kill} sends any other signal. Does nothing after
   * the process has exited.
   *
   * @throws what pending calls get when the connection ends.
   * @example
   * const server = await client.start(["sleep", "60"]);
   * await server.interrupt();
   * const { exitCode } = await server.exited;
   */
  async interrupt(): Promise<void> {
    if (this.#state.hasExited) return;
    const params = { processId: this.processId, signal: "interrupt" } as const;
    await this.#in("interrupt", () =>
      this.#state.control.whileRunning(() => this.#rpc.call("process/signal", params, { urgent: true })),
    );
  }

  /**
   * Sends a signal to the process and its group, as a shell does to a job. Runs `kill` on the server. Does nothing after
   * the process has exited.
   *
   * @param signal The POSIX name. @default "SIGTERM"
   * @throws UsageError `ERR_INVALID_ARGUMENT` for another name, `ERR_UNSUPPORTED` where `pid` is undefined.
   * @example
   * const server = await client.start(["sleep", "60"], { signals: true });
   * await server.kill("SIGHUP");
   * const { exitCode } = await server.exited; // 129
   */
  async kill(signal = "SIGTERM"): Promise<void> {
    await this.#in("kill", async () => {
      const name = signalName(signal);
      if (!this.#state.hasExited) await this.#state.control.signal(name);
    });
  }

  /**
   * Kills the process. Resolves when the server has answered; {@link exited} when the process has exited.
   *
   * @throws what pending calls get when the connection ends.
   * @example
   * const server = await client.start(["sleep", "60"]);
   * const { running } = await server.terminate(); // true: it was
   */
  async terminate(): Promise<TerminateResult> {
    // After the close another process can have the same id.
    if (this.#state.isOver && this.#state.hasExited) return { running: false };
    // An aborted signal, or the end of a block, may have requested it already.
    this.#terminating ??= this.#terminate();
    return await this.#in("terminate", () => this.#terminating as Promise<TerminateResult>);
  }

  /**
   * Terminates the process at the end of an `await using` block. Resolves if the connection has ended: no process can be
   * terminated through it.
   *
   * @example
   * await using server = await client.start(["sleep", "60"]);
   * console.log(server.processId);
   */
  async [asyncDispose](): Promise<void> {
    try {
      await this.terminate();
    } catch (error) {
      if (!this.#rpc.failure) throw error;
    }
  }

  async #terminate(): Promise<TerminateResult> {
    try {
      const params = { processId: this.processId };
      // Not awaited: what terminates a process also terminates a stopped one.
      this.#state.control.brake?.release();
      const { running } = await this.#rpc.call("process/terminate", params, { releases: true });
      return { running };
    } finally {
      this.#terminating = undefined;
    }
  }

  /** Calls one of the methods. Its errors name the method and the program. */
  #in<T>(operation: string, work: () => Promise<T>): Promise<T> {
    return inOperation({ ...this.#operation, operation }, undefined, work);
  }
}
