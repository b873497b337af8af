import { ClosedError, DisconnectedError, ProtocolError } from "../errors/connection.ts";
import { ExecServerError } from "../errors/error.ts";
import { ServerError } from "../errors/server.ts";
import { UsageError } from "../errors/usage.ts";
import { unsupported } from "../internal/arguments.ts";
import { bytesOf, concatBytes, randomId, utf8 } from "../internal/bytes.ts";
import { type Deferred, deferred, unobserved } from "../internal/deferred.ts";
import { Fifo } from "../internal/fifo.ts";
import { markShared } from "../internal/operation.ts";
import type { ResultOf } from "../protocol/methods.ts";
import type { CallOptions } from "../rpc/call.ts";
import { failureOfCall } from "../rpc/errors.ts";
import type { RpcPeer } from "../rpc/peer.ts";
import type { Brake } from "./brake.ts";

/** Bytes per request. Larger writes are split; a request of this size is far below the server's frame limit. */
const MAX_WRITE = 1024 * 1024;

/** What the feeder of the launcher reads as the end of the input. */
const END = /* @__PURE__ */ new Uint8Array([0x30, 0x0a]);

/** A write behind another one. */
interface WaitingWrite {
  /** Undefined for the end of the input. */
  readonly bytes: Uint8Array | undefined;
  /** Resolves with true when this write is to be sent, and with false when it was sent together with another one. */
  readonly turn: Deferred<boolean>;
}

/**
 * The standard input of one process. A server with concurrent requests does not keep their order, so each piece is sent
 * only after the response to the previous one. What is written meanwhile goes out as one piece: far from the server, a
 * held key would otherwise take one round trip for each repetition.
 */
export class ProcessStdin {
  readonly #rpc: RpcPeer;
  readonly #processId: string;
  readonly #waiting = new Fifo<WaitingWrite>();
  #isSending = false;
  #closedReason: string | undefined;
  /** Why the input can't be ended; undefined if it is fed to the process, in frames. */
  #noEnd: string | undefined;
  #isEnded = false;
  #hasExited = false;
  #onEnd: ((error: Error) => void) | undefined;
  /** The failure of a write to an input that is fed: without that part, the input must not end as if it were whole. */
  #gap: unknown;
  /** The failure of the connection. */
  #lost: Error | undefined;
  readonly #brake: Pick<Brake, "untilRunning"> | undefined;

  /**
   * @param closedReason Why nothing can be written.
   * @param noEnd Why the input can't be ended.
   * @param brake Of the output. A process that it has stopped reads nothing, and what the server can't pass on holds up
   * the whole connection.
   */
  constructor(
    rpc: RpcPeer,
    processId: string,
    closedReason: string | undefined,
    noEnd: string | undefined,
    brake?: Pick<Brake, "untilRunning">,
  ) {
    this.#brake = brake;
    this.#rpc = rpc;
    this.#processId = processId;
    this.#closedReason = closedReason;
    this.#noEnd = noEnd;
  }

  /** The launcher feeds the input to the process, so it can be ended. */
  feed(): void {
    this.#noEnd = undefined;
    // The server can report the exit before output that was written earlier.
    if (this.#hasExited) this.#endFeeder();
  }

  /** The process has exited: later writes reject without a request. */
  exited(): void {
    this.#hasExited = true;
    this.#closedReason ??= "the process has exited";
    this.#onEnd?.(this.#closed(this.#closedReason, "not-sent"));
    if (!this.#isSending) this.#endFeeder();
  }

  /** The connection has ended. Writes reject with its failure. */
  fail(error: Error): void {
    this.#lost = error;
    this.#onEnd?.(error);
  }

  /** @param listener Called when nothing can be written any more, with the reason. */
  onEnd(listener: (error: Error) => void): void {
    this.#onEnd = listener;
    if (this.#lost) listener(this.#lost);
    else if (this.#closedReason !== undefined) listener(this.#closed(this.#closedReason, "not-sent"));
  }

  async write(data: string | ArrayBufferView | ArrayBuffer): Promise<void> {
    await this.#inTurn(bytesOf(data));
  }

  /** Ends the input after everything that was written. Does nothing if it is closed. */
  async end(): Promise<void> {
    if (this.#closedReason !== undefined) return;
    if (this.#noEnd !== undefined) unsupported(`The end of the input can't be sent: ${this.#noEnd}`);
    await this.#inTurn(undefined);
  }

  async #inTurn(bytes: Uint8Array | undefined): Promise<void> {
    if (this.#isSending) {
      const turn = deferred<boolean>();
      this.#waiting.push({ bytes, turn });
      if (!(await turn.promise)) return;
    }
    this.#isSending = true;
    const joining = bytes ? this.#takeWaiting(MAX_WRITE - bytes.length) : [];
    try {
      const all = [bytes, ...joining.map((write) => write.bytes)];
      if (!bytes) await this.#writeEnd();
      else await this.#writeAll(all.length === 1 ? bytes : concatBytes(all as Uint8Array[]));
      for (const { turn } of joining) turn.resolve(false);
    } catch (error) {
      if (this.#noEnd === undefined && !(error instanceof UsageError)) this.#gap ??= error;
      for (const { turn } of joining) turn.reject(this.#ofBatch(error));
      throw joining.length === 0 ? error : this.#ofBatch(error);
    } finally {
      const next = this.#waiting.shift();
      if (next) next.turn.resolve(true);
      else {
        this.#isSending = false;
        if (this.#hasExited) this.#endFeeder();
      }
    }
  }

  /** Ends a feeder that waits for the next frame of a process that has exited. One within a frame ends by itself. */
  #endFeeder(): void {
    if (this.#noEnd !== undefined || this.#isEnded) return;
    this.#isEnded = true;
    void unobserved(this.#send(END, { releases: true, background: true }));
  }

  /** The next writes that have room in one piece together. */
  #takeWaiting(room: number): WaitingWrite[] {
    return this.#waiting.shiftWhile(({ bytes }) => {
      room -= bytes?.length ?? Number.POSITIVE_INFINITY;
      return room >= 0;
    });
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length || at === 0; at += MAX_WRITE) {
      const piece = bytes.subarray(at, at + MAX_WRITE);
      if (this.#noEnd !== undefined) await this.#writePiece(piece);
      // Without a byte it would be the end.
      else if (piece.length > 0) await this.#writePiece(concatBytes([utf8(`${piece.length}\n`), piece]));
    }
  }

  async #writeEnd(): Promise<void> {
    if (this.#gap !== undefined) {
      markShared(this.#gap);
      throw this.#gap;
    }
    try {
      await this.#writePiece(END);
      this.#isEnded = true;
    } catch (error) {
      // The process has closed it.
      if (!(error instanceof UsageError)) throw error;
    }
    this.#closedReason ??= "its end was written";
  }

  /** The failure of a piece, for one of the writes that it was made of. */
  #ofBatch(failure: unknown): unknown {
    if (!(failure instanceof ExecServerError)) return failure;
    const delivery = failure.delivery === "not-sent" ? "not-sent" : "unknown";
    if (failure instanceof DisconnectedError || failure instanceof ClosedError)
      return failureOfCall(failure, delivery);
    if (failure instanceof UsageError) {
      return new UsageError(failure.code, failure.message, { sessionId: failure.sessionId, delivery });
    }
    markShared(failure);
    return Object.assign(failure, { delivery });
  }

  async #writePiece(piece: Uint8Array): Promise<void> {
    for (let wait = this.#brake?.untilRunning(); wait; wait = this.#brake?.untilRunning()) await wait;
    if (this.#gap !== undefined) throw this.#closed("an earlier write has failed", "not-sent");
    if (this.#closedReason !== undefined) throw this.#closed(this.#closedReason, "not-sent");
    const status = await this.#send(piece);
    if (status === "accepted") return;
    if (status === "starting") {
      throw new ProtocolError("The server reported a started process as still starting", {
        sessionId: this.#rpc.sessionId,
        delivery: "answered",
      });
    }
    throw this.#closed(
      status === "stdinClosed" ? "the server closed it" : "the process has exited",
      "answered",
    );
  }

  /** A write into an input that breaks at that moment is an error of the server, later ones are a status. */
  async #send(piece: Uint8Array, options?: CallOptions<never>): Promise<ResultOf<"process/write">["status"]> {
    const params = { processId: this.#processId, writeId: randomId() };
    const payload = { name: "chunk", bytes: piece } as const;
    try {
      return (await this.#rpc.call("process/write", params, { ...options, payload })).status;
    } catch (error) {
      if (error instanceof ServerError && /write to process stdin/i.test(error.message)) return "stdinClosed";
      throw error;
    }
  }

  #closed(reason: string, delivery: "not-sent" | "answered"): UsageError {
    return new UsageError("ERR_STDIN_CLOSED", `The standard input of the process is closed: ${reason}`, {
      sessionId: this.#rpc.sessionId,
      delivery,
    });
  }
}
