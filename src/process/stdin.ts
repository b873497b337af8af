import {
  ClosedError,
  DisconnectedError,
  ExecServerError,
  ProtocolError,
  ServerError,
  UsageError,
} from "../errors.ts";
import { bytesOf, concatBytes, randomId } from "../internal/bytes.ts";
import { type Deferred, deferred } from "../internal/deferred.ts";
import { Fifo } from "../internal/fifo.ts";
import { markShared } from "../internal/operation.ts";
import type { ResultOf } from "../protocol/methods.ts";
import { processSchemas } from "../protocol/process.ts";
import { failureOfCall } from "../rpc/errors.ts";
import type { RpcPeer } from "../rpc/peer.ts";

/** Bytes per request. Larger writes are split; a request of this size is far below the server's frame limit. */
const MAX_WRITE = 1024 * 1024;

/** A write behind another one. */
interface WaitingWrite {
  readonly bytes: Uint8Array;
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

  constructor(rpc: RpcPeer, processId: string, closedReason: string | undefined) {
    this.#rpc = rpc;
    this.#processId = processId;
    this.#closedReason = closedReason;
  }

  /** Later writes reject without a request. */
  close(reason: string): void {
    this.#closedReason ??= reason;
  }

  async write(data: string | ArrayBufferView | ArrayBuffer): Promise<void> {
    const bytes = bytesOf(data);
    if (this.#isSending) {
      const turn = deferred<boolean>();
      this.#waiting.push({ bytes, turn });
      if (!(await turn.promise)) return;
    }
    this.#isSending = true;
    const joining = this.#takeWaiting(MAX_WRITE - bytes.length);
    const batch = joining.map((write) => write.bytes);
    try {
      await this.#writeAll(batch.length === 0 ? bytes : concatBytes([bytes, ...batch]));
      for (const { turn } of joining) turn.resolve(false);
    } catch (error) {
      for (const { turn } of joining) turn.reject(this.#ofBatch(error));
      throw joining.length === 0 ? error : this.#ofBatch(error);
    } finally {
      const next = this.#waiting.shift();
      if (next) next.turn.resolve(true);
      else this.#isSending = false;
    }
  }

  /** The next writes that have room in one piece together. */
  #takeWaiting(room: number): WaitingWrite[] {
    const writes: WaitingWrite[] = [];
    for (let next = this.#waiting.peek(); next; next = this.#waiting.peek()) {
      room -= next.bytes.length;
      if (room < 0) break;
      writes.push(next);
      this.#waiting.shift();
    }
    return writes;
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length || at === 0; at += MAX_WRITE) {
      await this.#writePiece(bytes.subarray(at, at + MAX_WRITE));
    }
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
  async #send(piece: Uint8Array): Promise<ResultOf<"process/write">["status"]> {
    const params = { processId: this.#processId, writeId: randomId() };
    const payload = { name: "chunk", bytes: piece };
    try {
      return (await this.#rpc.request("process/write", params, processSchemas.writeResult, { payload }))
        .status;
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
