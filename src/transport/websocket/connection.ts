import { encodeBase64 } from "../../internal/base64.ts";
import { deferred } from "../../internal/deferred.ts";
import { onPageHide } from "../../internal/page.ts";
import { viewOf } from "../../internal/realms.ts";
import { settledWithin } from "../../internal/timer.ts";
import { ReceiveQueue } from "../receive-queue.ts";
import type { Connection, ConnectionReceiver } from "../transport.ts";
import { binarySender } from "./binary-frames.ts";
import { WebSocketFlowControl } from "./flow-control.ts";
import {
  type Corkable,
  closeCodeOf,
  type ExtendedWebSocket,
  listen,
  type SocketEvent,
  type WebSocketLike,
} from "./socket.ts";

const OPEN = 1;
/** How long the peer may take to answer the close frame. */
const CLOSE_GRACE_MS = 1_000;
/** How long a terminated socket may take to emit `close`. */
const TERMINATE_GRACE_MS = 500;
/** The reason of an end by the page's departure. */
const PAGE_LEFT = "the page was left and is kept for a return without its connections";

/** The TCP or TLS socket of Node below. */
interface Handle {
  readonly destroyed?: boolean;
  ref?(): void;
  unref?(): void;
}

/** The connection of a socket that a server has accepted, with the TCP or TLS stream below it. */
export function acceptedWebSocket(socket: ExtendedWebSocket, stream: Corkable): Connection {
  return new WebSocketConnection(socket, stream);
}

export class WebSocketConnection implements Connection {
  readonly #socket: ExtendedWebSocket;
  readonly #receiveQueue = new ReceiveQueue((frame) => {
    if (typeof frame !== "string") this.#socket.release?.(frame);
  });
  readonly #closed: Promise<void>;
  #lastError: SocketEvent | undefined;
  readonly flow: WebSocketFlowControl | undefined;
  readonly ping: (() => Promise<void>) | undefined;
  readonly sendPayload: Connection["sendPayload"];
  /** What keeps a Node process alive: the TCP or TLS stream below a `ws` socket. */
  #handle: Handle | undefined;
  readonly #sendParts: ReturnType<typeof binarySender>;
  readonly #stopWatchingPage: () => void;
  hasOpened = false;
  /** Called with the reason when the connection ends because the page was left. */
  onPageLeft: (reason: string) => void = () => {};

  /** @param stream What the socket writes to, if that is not the socket's own to cork. */
  constructor(webSocket: WebSocketLike, stream?: Corkable) {
    const socket: ExtendedWebSocket = webSocket;
    this.#socket = socket;
    this.flow =
      socket.pause && socket.resume
        ? new WebSocketFlowControl(socket, stream ?? corkable(socket))
        : undefined;
    const sendParts = binarySender(socket);
    this.#sendParts = sendParts;
    const send = socket.sendPayload
      ? this.flow?.payloads
      : sendParts &&
        ((head: string, bytes: Uint8Array, tail: string) => sendParts(head, encodeBase64(bytes), tail));
    this.sendPayload =
      send &&
      ((head, bytes, tail) => {
        if (this.isOpen) send(head, bytes, tail);
      });
    socket.binaryType = "arraybuffer";
    // The listeners stay for the life of the socket: `ws` throws an error that has no listener.
    listen(socket, "open", () => {
      this.hasOpened = true;
    });
    socket.on?.("upgrade", (response) => {
      this.#handle = (response as { socket?: Handle } | undefined)?.socket;
    });
    onData(socket, (data) => {
      // Bytes can be of another realm. Anything else is no message, which the empty frame reports.
      this.#receiveQueue.frame(typeof data === "string" ? data : (viewOf(data) ?? new Uint8Array()));
    });
    listen(socket, "error", (event) => {
      this.#lastError = event;
    });
    this.#closed = new Promise((resolve) => {
      listen(socket, "close", (event) => {
        this.#end(closeCodeOf(event), event.reason);
        resolve();
      });
    });
    this.ping = pinger(socket, this.#closed);
    // The browser keeps a cached page for minutes, and its session on the server with it. Its restored page connects anew.
    this.#stopWatchingPage = onPageHide(({ persisted }) => {
      if (persisted) this.#leavePage();
    });
  }

  get isOpen(): boolean {
    return this.#socket.readyState === OPEN && !this.#receiveQueue.ended;
  }

  start(receiver: ConnectionReceiver): void {
    this.#receiveQueue.start(receiver);
  }

  send(frame: string): void {
    if (!this.isOpen) return;
    if (this.flow) this.flow.send(frame);
    else if (this.#sendParts) this.#sendParts(frame);
    else this.#socket.send(frame);
  }

  ref(): void {
    if (this.#hasHandle) this.#handle?.ref?.();
  }

  unref(): void {
    if (this.#hasHandle) this.#handle?.unref?.();
  }

  /** A destroyed socket waits for a connection that never comes, with one listener for each call. */
  get #hasHandle(): boolean {
    return this.#handle?.destroyed === false;
  }

  async close(): Promise<void> {
    this.#stopWatchingPage();
    this.#socket.close(1000);
    await settledWithin(this.#closed, CLOSE_GRACE_MS);
    if (this.#receiveQueue.ended) return;
    this.#socket.terminate?.();
    await settledWithin(this.#closed, TERMINATE_GRACE_MS);
    // A peer that answers nothing keeps a browser's socket in the closing state for longer. This side ends here.
    this.#receiveQueue.end({ reason: "closed, but the peer did not answer" });
  }

  /** Everything settles in this turn, because the page is suspended after it. */
  #leavePage(): void {
    this.#receiveQueue.end({ reason: PAGE_LEFT, closedBy: "client" });
    this.onPageLeft(PAGE_LEFT);
    void this.close();
  }

  #end(closeCode: number | undefined, closeReason: string | undefined): void {
    this.#stopWatchingPage();
    this.flow?.end();
    const reason = closeReason || this.#lastError?.message || `the WebSocket closed with code ${closeCode}`;
    this.#receiveQueue.end({ reason, closeCode, cause: this.#lastError?.error });
  }
}

function corkable(socket: ExtendedWebSocket): Corkable | undefined {
  return socket.cork && socket.uncork ? (socket as Corkable) : undefined;
}

/** Delivers text from `ws`, the only one with `terminate`, as raw bytes: its `message` event would decode them. */
function onData(socket: ExtendedWebSocket, listener: (data: unknown) => void): void {
  if (socket.on && socket.terminate) socket.on("message", listener);
  else listen(socket, "message", ({ data }) => listener(data));
}

function pinger(socket: ExtendedWebSocket, closed: Promise<void>): Connection["ping"] {
  if (!socket.ping || !socket.on) return undefined;
  let pong = deferred<void>();
  socket.on("pong", () => {
    pong.resolve();
    pong = deferred();
  });
  void closed.then(() => pong.resolve());
  return () => {
    socket.ping?.();
    return pong.promise;
  };
}
