import type { Bytes } from "../internal/bytes.ts";
import { asyncDispose } from "../internal/dispose.ts";
import type { RpcPeer } from "../rpc/peer.ts";
import type { OutputChunk } from "./events.ts";
import type { ProcessExit, ProcessState } from "./state.ts";
import { checkSize, type TerminalSize, unsupported } from "./tty.ts";

/**
 * A process on the server's machine. It belongs to the connection it was started on: when that ends, everything here
 * fails with the connection's error, after the output that had arrived.
 *
 * Its output can be read as one sequence (`for await (const { stream, chunk } of process)`) or as `stdout` and
 * `stderr`; the first reader decides, the other way then throws `ERR_OUTPUT_CLAIMED`. Ending a read early never stops
 * the process.
 */
export class ExecProcess implements AsyncDisposable {
  /** Its name in the session: the option of that name, or a random one. */
  readonly processId: string;
  /** The session it was started in. */
  readonly sessionId: string;
  readonly #rpc: RpcPeer;
  readonly #state: ProcessState;
  readonly #setSize: ((size: TerminalSize) => Promise<void>) | undefined;
  #lastResize: Promise<void> = Promise.resolve();

  /** @internal Processes are made by `start`. */
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
  }

  /** Standard output as bytes; in a terminal, everything. Ends when the process is closed. */
  get stdout(): ReadableStream<Bytes> {
    return this.#state.output.stdout;
  }

  /** Standard error as bytes. */
  get stderr(): ReadableStream<Bytes> {
    return this.#state.output.stderr;
  }

  /** All output in the order in which the server saw it. */
  [Symbol.asyncIterator](): AsyncIterator<OutputChunk, undefined> {
    return this.#state.output.iterate();
  }

  /** Resolves when the process has exited, whether its output is read or not. */
  get exited(): Promise<ProcessExit> {
    return this.#state.exited;
  }

  /**
   * Resolves when the process has exited and all its output has arrived. A grandchild that keeps the output open
   * delays it.
   */
  get closed(): Promise<ProcessExit> {
    return this.#state.closed;
  }

  /** Bytes lost so far with `overflow: "drop-oldest"`. */
  get droppedBytes(): number {
    return this.#state.output.droppedBytes;
  }

  /**
   * Writes to standard input. Writes are sent one after the other, each after the answer to the one before, large ones
   * in pieces of 1 MiB; after a failed one, part of it may have arrived. The data must not change until it settles.
   *
   * @throws UsageError `ERR_STDIN_CLOSED` without `stdin: "pipe"` or a terminal, and after the process has ended.
   */
  write(data: string | Uint8Array): Promise<void> {
    return this.#state.stdin.write(data);
  }

  /**
   * Changes the size of the terminal; the program gets SIGWINCH. Runs `stty` on the server, so it needs a POSIX system.
   *
   * @throws UsageError `ERR_UNSUPPORTED` without a terminal, on Windows, or when the process has ended.
   */
  resize(size: TerminalSize): Promise<void> {
    const resized = this.#lastResize.then(async () => {
      checkSize(size);
      if (!this.#setSize) throw unsupported("This process has no terminal that can be resized");
      // The system may have given the device to somebody else.
      if (this.#state.hasExited) throw unsupported("The process has ended, and with it its terminal");
      await this.#setSize(size);
    });
    this.#lastResize = resized.catch(() => {});
    return resized;
  }

  /** Sends an interrupt: Ctrl-C in a terminal, SIGINT otherwise. The only signal the protocol has. */
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
    /** Whether it still ran. */
    running: boolean;
  }> {
    // Its id may be in use again once it is closed.
    if (this.#state.isOver && this.#state.hasExited) return { running: false };
    const { running } = await this.#rpc.call(
      "process/terminate",
      { processId: this.processId },
      { urgent: true },
    );
    return { running };
  }

  /** Terminates the process, unless the connection has ended: then there is nothing left to ask. */
  async [asyncDispose](): Promise<void> {
    try {
      await this.terminate();
    } catch (error) {
      if (!this.#rpc.failure) throw error;
    }
  }
}
