import { utf8 } from "../internal/bytes.ts";
import type { WebSocketLike } from "../transport/websocket/socket.ts";
import { ABNORMAL_CLOSURE, type DialRefusal, type TestDial, type TestServerDoor } from "./channel.ts";
import { MemoryChannel } from "./memory-channel.ts";
import { SimplexQueue } from "./simplex-queue.ts";
import { soon } from "./soon.ts";

const [CONNECTING, OPEN, CLOSING, CLOSED] = [0, 1, 2, 3];

/** A client's WebSocket that is connected to a test server in the same program. */
export class MemorySocket implements WebSocketLike {
  binaryType = "arraybuffer";
  readonly #listeners = new Map<string, ((event: unknown) => void)[]>();
  readonly #toServer = new SimplexQueue();
  readonly #toClient = new SimplexQueue();
  #readyState = CONNECTING;
  #channel: MemoryChannel | undefined;

  constructor(acceptor: TestServerDoor, dial: TestDial) {
    void this.#dial(acceptor, dial);
  }

  get readyState(): number {
    return this.#readyState;
  }

  get bufferedAmount(): number {
    return this.#toServer.queuedBytes;
  }

  addEventListener(type: string, listener: (event: unknown) => void): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  send(data: string, onSent?: () => void): void {
    if (this.#readyState !== OPEN) return;
    this.#toServer.push(utf8(data).length, () => {
      this.#channel?.receive(data);
      onSent?.();
    });
  }

  close(code = 1005, reason = ""): void {
    if (this.#readyState === CONNECTING) this.#end(ABNORMAL_CLOSURE, "");
    if (this.#readyState !== OPEN) return;
    this.#readyState = CLOSING;
    this.#toServer.push(0, () => this.#channel?.closedByClient(code, reason));
  }

  terminate(): void {
    this.#toServer.push(0, () => this.#channel?.terminatedByClient());
    this.#end(ABNORMAL_CLOSURE, "");
  }

  pause(): void {
    this.#toClient.hold();
  }

  resume(): void {
    this.#toClient.release();
  }

  async #dial(acceptor: TestServerDoor, dial: TestDial): Promise<void> {
    // Wait until the constructor has returned and the client has added its listeners.
    await undefined;
    const refusal = await acceptor.admit();
    if (this.#readyState !== CONNECTING) return;
    if (refusal && refusal.closeCode === undefined) return this.#refuse(refusal);
    this.#readyState = OPEN;
    const channel = new MemoryChannel(this.#toServer, this.#toClient, {
      onFrame: (data) => this.#emit("message", { data }),
      onError: (message) => this.#emit("error", { message, error: new Error(message) }),
      onEnd: (code, reason) => this.#end(code, reason),
    });
    this.#channel = channel;
    if (refusal) channel.close(refusal.closeCode as number, refusal.reason ?? "");
    else channel.receiver = acceptor.accept(channel, dial);
    this.#emit("open", {});
  }

  /** Uses the message of the `ws` package, from which the client reads the status. */
  #refuse({ status }: DialRefusal): void {
    const error =
      status === undefined
        ? Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" })
        : new Error(`Unexpected server response: ${status}`);
    this.#emit("error", { message: error.message, error });
    this.#end(ABNORMAL_CLOSURE, "");
  }

  #end(code: number, reason: string): void {
    if (this.#readyState === CLOSED) return;
    this.#readyState = CLOSED;
    // Never synchronous: the client's own call to close() may have led here.
    soon(() => this.#emit("close", { code, reason }));
  }

  #emit(type: string, event: object): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event);
  }
}
