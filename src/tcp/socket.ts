import { ServerError } from "../errors/server.ts";
import { UsageError } from "../errors/usage.ts";
import { onAbort } from "../internal/abort.ts";
import { unsupported } from "../internal/arguments.ts";
import { bindMembers } from "../internal/bound.ts";
import { bytesOf } from "../internal/bytes.ts";
import { deferred, unobserved } from "../internal/deferred.ts";
import { asyncDispose } from "../internal/dispose.ts";
import { attribute } from "../internal/operation.ts";
import { platformClass } from "../internal/platform.ts";
import { settledWithin } from "../internal/timer.ts";
import { RPC_INTERNAL_ERROR } from "../protocol/json-rpc.ts";
import type { RpcPeer } from "../rpc/peer.ts";
import { FramedInput, PlainInput, type RelayProcess, type SocketInput } from "./input.ts";
import { SocketOutput } from "./output.ts";
import type { Relay } from "./relays/relays.ts";
import { type Problem, RelayReport, type ReportListener } from "./report.ts";

/** A TCP connection that the server's machine has made. It ends with the connection of the client that it was made on. */
export interface RemoteSocket extends AsyncDisposable {
  /**
   * What the other side sends, as fast as it is read. Ends when the other side has ended its direction. A reset is a
   * ServerError with kind `"reset"`.
   */
  readonly readable: ReadableStream<Uint8Array>;
  /**
   * What is sent to the other side. `close()` ends this direction, while `readable` stays open; where bash makes the
   * connection, it rejects with `ERR_UNSUPPORTED`. An abort resets the connection.
   */
  readonly writable: WritableStream<Uint8Array>;
  /**
   * Resolves when both directions have ended, or this side has closed or aborted the connection. Rejects with the error
   * of a reset, with that of the client's connection, or with the reason of the signal.
   */
  readonly closed: Promise<void>;
  /**
   * Ends both directions. What was written is still passed on; if that takes more than two seconds, the connection is
   * reset. Never rejects.
   */
  close(): Promise<void>;
}

/** What a connection is made with. */
interface Parts {
  readonly rpc: RpcPeer;
  readonly process: RelayProcess;
  readonly relay: Relay;
  /** The host and the port, for messages. */
  readonly address: string;
  readonly signal: AbortSignal | undefined;
}

/** Milliseconds in which `close` passes on what was written. */
const CLOSE_MS = 2_000;

/** A connection through a relay. */
export class TcpSocket implements RemoteSocket {
  readonly writable: WritableStream<Uint8Array>;
  readonly #parts: Parts;
  readonly #opened = deferred<void>();
  readonly #closed = deferred<void>();
  readonly #input: SocketInput;
  readonly #output: SocketOutput;
  #failWriting: (reason: unknown) => void = () => {};
  #unlink = (): void => {};
  #isOpen = false;
  /** The writable is being closed, or is. */
  #isClosing = false;
  /** The end of this side was passed on. */
  #isEnded = false;
  /** This side has closed or aborted the connection. */
  #isLeft = false;
  #isOver = false;
  #problem: Problem | undefined;
  #closing: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { rpc, process, relay, signal } = parts;
    for (const { promise } of [this.#opened, this.#closed]) void unobserved<Promise<void>>(promise);
    this.#input = relay.isFramed
      ? new FramedInput(rpc, process.processId)
      : new PlainInput(process, relay.reportsEnd);
    this.#output = new SocketOutput({
      onConsumed: (bytes) => this.#input.consumed(bytes),
      onCancel: () => {
        if (this.#isEnded) this.#leave();
      },
    });
    this.writable = this.#writable();
    if (signal) this.#unlink = onAbort(signal, () => this.#abort(signal.reason));
    void this.#follow();
    bindMembers(this, TcpSocket);
  }

  /** Resolves when the TCP connection is established. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  get readable(): ReadableStream<Uint8Array> {
    return this.#output.readable;
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#isLeft = true;
    if (!this.#isOver) await settledWithin(this.#passEnd(), CLOSE_MS);
    this.#output.discard();
    this.#leave();
    await settledWithin(this.#closed.promise, CLOSE_MS);
    this.#finish(undefined);
  }

  /** Passes on everything written and the end. */
  async #passEnd(): Promise<void> {
    await this.#input.end();
    this.#isEnded = true;
    if (!this.#parts.relay.reportsEnd) await this.#parts.process.exited;
  }

  #writable(): WritableStream<Uint8Array> {
    return new (platformClass("WritableStream"))<Uint8Array>({
      start: (controller) => {
        this.#failWriting = (reason) => controller.error(reason);
      },
      write: (chunk) => this.#input.write(bytesOf(chunk)),
      close: async () => {
        const { canEnd, name } = this.#parts.relay;
        if (!canEnd) unsupported(`connectTcp: ${name} can't end one direction of a connection: use close()`);
        this.#isClosing = true;
        await this.#input.end();
        this.#isEnded = true;
        if (this.#output.isCancelled) this.#leave();
      },
      abort: (reason) => {
        this.#output.fail(reason);
        this.#leave();
      },
    });
  }

  /** Follows the relay to its end. */
  async #follow(): Promise<void> {
    const { process } = this.#parts;
    const report = new RelayReport(this.#listener());
    try {
      for await (const { stream, chunk } of process) {
        if (stream === "stderr") report.accept(chunk);
        else this.#output.accept(chunk);
        // A framed relay sends no more than that. Another one is stopped while its output is not read.
        if (this.#output.isFull) await this.#output.drained();
      }
      const { exitCode } = await process.closed;
      this.#finish(this.#failureAt(exitCode));
    } catch (error) {
      this.#finish(error);
    }
  }

  #listener(): ReportListener {
    return {
      opened: () => {
        this.#isOpen = true;
        this.#opened.resolve();
      },
      passed: () => this.#input.passed(),
      ended: (bytes) => {
        if (!this.#problem) this.#output.setTotal(bytes);
      },
      failed: (problem) => {
        this.#problem ??= problem;
        // Tools other than the framed relays go on with the other direction.
        if (this.#isOpen) this.#terminate();
      },
    };
  }

  /** Why a relay that has exited did so; undefined if both directions have ended. */
  #failureAt(exitCode: number): Error | undefined {
    const { address, relay, rpc } = this.#parts;
    // Only nc does not report how much the other side has sent.
    const isComplete = this.#output.isComplete || (this.#isEnded && !relay.reportsEnd);
    if (this.#isLeft || (exitCode === 0 && this.#isOpen && isComplete && !this.#problem)) return undefined;
    const progress = this.#isOpen ? ` after ${this.#output.progress}` : "";
    const text = this.#problem?.text ?? `${relay.name} exited with code ${exitCode}${progress}`;
    const prefix = this.#isOpen ? `The connection to ${address} was lost` : `Could not connect to ${address}`;
    const error = new ServerError(`${prefix}: ${text}`, {
      rpcCode: RPC_INTERNAL_ERROR,
      kind: this.#problem?.kind ?? (this.#isOpen ? "reset" : undefined),
      sessionId: rpc.sessionId,
      delivery: "answered",
    });
    // Until then it is the error of the call, which adds its caller's line.
    if (this.#isOpen) attribute(error, { operation: "connectTcp" });
    return error;
  }

  #abort(reason: unknown): void {
    this.#output.fail(reason);
    this.#finish(reason, true);
    this.#terminate();
  }

  /** This side wants no more of the connection. */
  #leave(): void {
    this.#isLeft = true;
    this.#terminate();
  }

  #terminate(): void {
    void unobserved(this.#parts.process.terminate());
  }

  /** @param isFailed Also if the reason is undefined. */
  #finish(reason: unknown, isFailed = reason !== undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#unlink();
    const left = new UsageError("ERR_STDIN_CLOSED", "connectTcp: the connection is closed");
    this.#input.fail(isFailed ? reason : left);
    if (isFailed || !this.#isClosing) this.#failWriting(isFailed ? reason : left);
    if (isFailed) {
      this.#output.end(reason);
      this.#opened.reject(reason);
      this.#closed.reject(reason);
      return;
    }
    this.#output.end();
    this.#opened.reject(left);
    this.#closed.resolve();
  }
}
