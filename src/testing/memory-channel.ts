import { UsageError } from "../errors/usage.ts";
import { utf8 } from "../internal/bytes.ts";
import { ByteLimit } from "./byte-limit.ts";
import { ABNORMAL_CLOSURE, type ChannelReceiver, type ServerChannel } from "./channel.ts";
import type { SimplexQueue } from "./simplex-queue.ts";

/** The events of the client's socket. */
interface ClientSocketEvents {
  onFrame(data: string | ArrayBuffer): void;
  onError(message: string): void;
  onEnd(code: number, reason: string): void;
}

/** The server's end of a socket in memory. */
export class MemoryChannel implements ServerChannel {
  receiver: ChannelReceiver | undefined;
  readonly #toServer: SimplexQueue;
  readonly #toClient: SimplexQueue;
  readonly #client: ClientSocketEvents;
  readonly #limit = new ByteLimit();
  #isEnded = false;

  constructor(toServer: SimplexQueue, toClient: SimplexQueue, client: ClientSocketEvents) {
    this.#toServer = toServer;
    this.#toClient = toClient;
    this.#client = client;
  }

  send(frame: string | Uint8Array): void {
    if (this.#isEnded) return;
    const bytes = typeof frame === "string" ? utf8(frame) : new Uint8Array(frame);
    const data = typeof frame === "string" ? frame : bytes.buffer;
    if (this.#limit.take(bytes.length) === bytes.length) {
      this.#toClient.push(bytes.length, () => this.#client.onFrame(data));
    }
    if (this.#limit.isReached) this.drop();
  }

  sendBytes(): void {
    throw new UsageError(
      "ERR_UNSUPPORTED",
      "sendBytes() is not supported in memory, which has whole frames only: use listen(server) or serveStdio(server)",
    );
  }

  close(code: number, reason: string): void {
    this.#endBehindFrames(() => {
      this.#client.onEnd(code, reason);
      this.#toServer.push(0, () => this.receiver?.onEnd({ closeCode: code, reason }));
    });
  }

  drop(): void {
    this.#endBehindFrames(() => this.#client.onEnd(ABNORMAL_CLOSURE, ""));
    this.#toServer.clear();
    this.receiver?.onEnd({ closeCode: ABNORMAL_CLOSURE });
  }

  reset(): void {
    this.#toClient.clear();
    this.#isEnded = false;
    this.drop();
  }

  dropAfterBytes(bytes: number): void {
    this.#limit.set(bytes);
    if (this.#limit.isReached) this.drop();
  }

  failThenClose(): void {
    this.#endBehindFrames(() => this.#client.onError("Invalid WebSocket frame: invalid opcode 3"));
    this.#toClient.push(0, () => this.#client.onEnd(ABNORMAL_CLOSURE, ""));
    this.receiver?.onEnd({ closeCode: ABNORMAL_CLOSURE });
  }

  closeThenFail(code: number, reason: string): void {
    this.close(code, reason);
    this.#toClient.push(0, () => this.#client.onError("read ECONNRESET"));
  }

  pause(): void {
    this.#toServer.hold();
  }

  resume(): void {
    this.#toServer.release();
  }

  receive(frame: string): void {
    this.receiver?.onFrame(frame);
  }

  /** The client has closed its socket. */
  closedByClient(code: number, reason: string): void {
    this.receiver?.onEnd({ closeCode: code, reason });
    this.#endBehindFrames(() => this.#client.onEnd(code, reason));
  }

  /** The client has terminated its socket, without a closing handshake. */
  terminatedByClient(): void {
    this.#isEnded = true;
    this.receiver?.onEnd({ closeCode: ABNORMAL_CLOSURE });
  }

  #endBehindFrames(notifyClient: () => void): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#toClient.push(0, notifyClient);
  }
}
