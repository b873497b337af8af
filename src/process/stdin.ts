import { ProtocolError, ServerError, UsageError } from "../errors.ts";
import { encodeBase64 } from "../internal/base64.ts";
import { bytesOf, randomId } from "../internal/bytes.ts";
import type { ResultOf } from "../protocol/methods.ts";
import type { RpcPeer } from "../rpc/peer.ts";

/** Bytes per request. Larger writes are split; a request of this size is far below the server's frame limit. */
const MAX_WRITE = 1024 * 1024;

/**
 * The standard input of one process. A server with concurrent requests does not keep their order, so each piece is sent
 * only after the response to the previous one.
 */
export class ProcessStdin {
  readonly #rpc: RpcPeer;
  readonly #processId: string;
  #last: Promise<void> = Promise.resolve();
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

  write(data: string | ArrayBufferView | ArrayBuffer): Promise<void> {
    const written = this.#last.then(() => this.#writeAll(bytesOf(data)));
    this.#last = written.catch(() => {});
    return written;
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length || at === 0; at += MAX_WRITE) {
      await this.#writePiece(bytes.subarray(at, at + MAX_WRITE));
    }
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
    const params = { processId: this.#processId, chunk: encodeBase64(piece), writeId: randomId() };
    try {
      return (await this.#rpc.call("process/write", params)).status;
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
