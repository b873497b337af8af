import { ProtocolError, UsageError } from "../errors.ts";
import { encodeBase64 } from "../internal/base64.ts";
import { randomId, utf8 } from "../internal/bytes.ts";
import type { RpcPeer } from "../rpc/peer.ts";

/** Larger writes are sent in pieces; as base64 in a frame a piece stays far below the server's limit. */
const MAX_WRITE = 1024 * 1024;

/**
 * The standard input of one process. A server that works on several requests at once does not keep them in order, so
 * each piece is sent only after the one before it was answered.
 */
export class ProcessStdin {
  readonly #rpc: RpcPeer;
  readonly #processId: string;
  #last: Promise<void> = Promise.resolve();
  #closedBecause: string | undefined;

  constructor(rpc: RpcPeer, processId: string, closedBecause: string | undefined) {
    this.#rpc = rpc;
    this.#processId = processId;
    this.#closedBecause = closedBecause;
  }

  /** From here on writes are refused without asking the server. */
  close(because: string): void {
    this.#closedBecause ??= because;
  }

  write(data: string | Uint8Array): Promise<void> {
    if (typeof data !== "string" && !(data instanceof Uint8Array)) {
      return Promise.reject(new UsageError("ERR_INVALID_ARGUMENT", "write() takes a string or a Uint8Array"));
    }
    const written = this.#last.then(() => this.#writeAll(typeof data === "string" ? utf8(data) : data));
    this.#last = written.catch(() => {});
    return written;
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length || at === 0; at += MAX_WRITE) {
      await this.#writePiece(bytes.subarray(at, at + MAX_WRITE));
    }
  }

  async #writePiece(piece: Uint8Array): Promise<void> {
    if (this.#closedBecause !== undefined) throw this.#closed(this.#closedBecause, "not-sent");
    const { status } = await this.#rpc.call("process/write", {
      processId: this.#processId,
      chunk: encodeBase64(piece),
      writeId: randomId(),
    });
    if (status === "accepted") return;
    if (status === "starting") {
      throw new ProtocolError("The server says that a started process is still starting", {
        sessionId: this.#rpc.sessionId,
        delivery: "answered",
      });
    }
    throw this.#closed(
      status === "stdinClosed" ? "the server closed it" : "the process has ended",
      "answered",
    );
  }

  #closed(because: string, delivery: "not-sent" | "answered"): UsageError {
    return new UsageError("ERR_STDIN_CLOSED", `The standard input of the process is closed: ${because}`, {
      sessionId: this.#rpc.sessionId,
      delivery,
    });
  }
}
