import { bindMembers } from "../internal/bound.ts";
import type { Bytes } from "../internal/bytes.ts";
import { asyncDispose } from "../internal/dispose.ts";
import type { RpcPeer } from "../rpc/peer.ts";
import type { OutputChunk } from "./events.ts";
import type { ProcessExit, ProcessState } from "./state.ts";
import { checkSize, type TerminalSize, unsupported } from "./tty.ts";

/**
 * A process on the server's machine. It belongs to the connection that started it. When that connection ends, every
 * pending promise and stream of the process fails with the connection's error; output that has arrived is delivered
 * first.
 *
 * The output can be read as one sequence (`for await (const { stream, chunk } of process)`) or as `stdout` and `stderr`.
 * The first reader decides; reading the other way then throws `ERR_OUTPUT_CLAIMED`. Ending a read early never stops the
 * process.
 */
export class ExecProcess implements AsyncDisposable {
  /** Id of the process in the session: the option `processId`, or a random id. */
  readonly processId: string;
  /** Id of the session that started the process. */
  readonly sessionId: string;
  readonly #rpc: RpcPeer;
  readonly #state: ProcessState;
  readonly #setSize: ((size: TerminalSize) => Promise<void>) | undefined;
  #lastResize: Promise<void> = Promise.resolve();

  /** @internal Created by `start`. */
  constructor(parts: {
    processId: string;
    sessionId: string;
    rpc: RpcPeer;
    state: ProcessState;
    setSize: ((size: TerminalSize) => Promise<void>) | undefined;
  }) {
    this.processId = parts.processId;
    this.sessionId = parts.sessionId;
    this.#rpc = parts.rpc;
    this.#state = parts.state;
    this.#setSize = parts.setSize;
    bindMembers(this, ExecProcess);
  }

  /** Standard output as bytes; all output if the process runs in a terminal. Ends when the process is closed. */
  get stdout(): ReadableStream<Bytes> {
    return this.#state.output.stdout;
  }

  /** Standard error as bytes. */
  get stderr(): ReadableStream<Bytes> {
    return this.#state.output.stderr;
  }

  /** All output in the order in which the server received it. */
  [Symbol.asyncIterator](): AsyncIterator<OutputChunk, undefined> {
    return this.#state.output.iterate();
  }

  /** Resolves when the process has exited, whether its output is read or not. */
  get exited(): Promise<ProcessExit> {
    return this.#state.exited;
  }

  /**
   * Resolves when the process has exited and all of its output has arrived. A descendant that keeps the output open
   * delays this.
   */
  get closed(): Promise<ProcessExit> {
    return this.#state.closed;
  }

  /** Number of bytes dropped so far because of `overflow: "drop-oldest"`. */
  get droppedBytes(): number {
    return this.#state.output.droppedBytes;
  }

  /**
   * Writes to standard input. Writes are sent in order, each one after the response to the previous one, in pieces of at
   * most 1 MiB. A write that failed can have arrived in part. Do not change the data before the write has settled.
   *
   * @throws UsageError `ERR_STDIN_CLOSED` without `stdin: "pipe"` or a terminal, and after the process has exited.
   */
  write(data: string | Uint8Array): Promise<void> {
    return this.#state.stdin.write(data);
  }

  /**
   * Changes the size of the terminal; the program receives SIGWINCH. Runs `stty` on the server, so it requires a POSIX
   * system.
   *
   * @throws UsageError `ERR_UNSUPPORTED` without a terminal, on Windows, or after the process has exited.
   */
  resize(size: TerminalSize): Promise<void> {
    const resized = this.#lastResize.then(async () => {
      checkSize(size);
      if (!this.#setSize) throw unsupported("resize() requires a process in a terminal on a POSIX server");
      // The system may have reused the device for another terminal.
      if (this.#state.hasExited)
        throw unsupported("resize() requires a running process, this one has exited");
      await this.#setSize(size);
    });
    this.#lastResize = resized.catch(() => {});
    return resized;
  }

  /** Sends an interrupt: Ctrl-C in a terminal, otherwise SIGINT. The protocol has no other signal. */
  async interrupt(): Promise<void> {
    if (this.#state.hasExited) return;
    await this.#rpc.call(
      "process/signal",
      { processId: this.processId, signal: "interrupt" },
      { urgent: true },
    );
  }

  /** Kills the process. */
  async terminate(): Promise<{
    /** Whether the process was still running. */
    running: boolean;
  }> {
    // After the close another process can have the same id.
    if (this.#state.isOver && this.#state.hasExited) return { running: false };
    const { running } = await this.#rpc.call(
      "process/terminate",
      { processId: this.processId },
      { urgent: true },
    );
    return { running };
  }

  /** Terminates the process. Resolves if the connection has ended: no process can be terminated through it. */
  async [asyncDispose](): Promise<void> {
    try {
      await this.terminate();
    } catch (error) {
      if (!this.#rpc.failure) throw error;
    }
  }
}
