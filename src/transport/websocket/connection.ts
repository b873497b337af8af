import { ConnectError } from "../../errors.ts";
import { deferred } from "../../internal/deferred.ts";
import { settledWithin } from "../../internal/timer.ts";
import { ReceiveQueue } from "../receive-queue.ts";
import { type Connection, type ConnectionReceiver, MAX_INCOMING_FRAME } from "../transport.ts";
import { type Corkable, SocketFlowControl } from "./flow-control.ts";

/** What the transport needs of a WebSocket: the common part of the browser's, Node's and that of `ws`. */
export interface WebSocketLike {
  /** 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: number;
  /** How binary messages arrive; set to `"arraybuffer"`. */
  binaryType: string;
  /** Listens for `open`, `message`, `error` and `close`. */
  addEventListener(type: string, listener: (event: unknown) => void): void;
  /** Bytes handed to `send` that have not left yet. */
  readonly bufferedAmount?: number;
  /** Only `ws` tells when the data have left. */
  send(data: string, onSent?: () => void): void;
  /** Starts the closing handshake. */
  close(code?: number, reason?: string): void;
  /** Only that of the Node entry sends bytes as base64, and several frames at once. */
  sendPayload?(head: string, bytes: Uint8Array, tail: string, onSent: () => void): void;
  /** Only that of the Node entry lets what is written wait, */
  cork?(): void;
  /** and then lets it go at once. */
  uncork?(): void;
  /** Only `ws` has this and the next: an end without waiting for the peer. */
  terminate?(): void;
  /** Asks the peer for a sign of life. */
  ping?(): void;
  /** Listens for the data themselves, and for the answers to `ping`. */
  on?(type: "message" | "pong", listener: (data: unknown) => void): unknown;
  /** Stops reading. */
  pause?(): void;
  /** Reads on. */
  resume?(): void;
}

interface SocketEvent {
  readonly data?: unknown;
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly error?: unknown;
}

/** What the `ws` package is told; others ignore it. */
export const WS_OPTIONS = {
  perMessageDeflate: false,
  maxPayload: MAX_INCOMING_FRAME,
  // How long a peer that has said goodbye may keep its end of the socket open.
  closeTimeout: 1_000,
};

/** The HTTP status of a refused upgrade is told in words only: those of `ws`, of Bun and of Deno. */
const REFUSED = /(?:Unexpected server response|Expected 101 status code|Invalid status code): (\d{3})/;

const OPEN = 1;
/** How long a peer may take to answer the closing handshake. */
const CLOSE_GRACE_MS = 1_000;
const TERMINATE_GRACE_MS = 500;

/** The connection of a socket that a server of ours has accepted, on the TCP or TLS socket below. */
export function acceptedWebSocket(socket: WebSocketLike, below: Corkable): Connection {
  return new WebSocketConnection(socket, below);
}

/** Waits until a socket just constructed is open. `shown` names the address in errors. */
export function openWebSocket(
  socket: WebSocketLike,
  shown: string,
  signal: AbortSignal,
): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const connection = new WebSocketConnection(socket);
    let lastError: SocketEvent = {};
    const fail = (end: SocketEvent): void => {
      signal.removeEventListener("abort", onAbort);
      reject(dialError(shown, lastError, closeCodeOf(end)));
    };
    const onAbort = (): void => {
      // First: closing may report an error of its own at once.
      reject(signal.reason);
      void connection.close();
    };
    listen(socket, "open", () => {
      signal.removeEventListener("abort", onAbort);
      // Aborted in the meantime: the socket is closing already.
      if (!signal.aborted) resolve(connection);
    });
    listen(socket, "error", (event) => {
      lastError = event;
      // Node 22's own WebSocket never sends `close` after a failed handshake, so an error while connecting is the end.
      // Not in the same turn: others report the close code right behind the error.
      if (!connection.hasOpened) setTimeout(fail, 0, {});
    });
    listen(socket, "close", fail);
    // The socket's own constructor may have aborted it.
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
}

function dialError(shown: string, error: SocketEvent, closeCode: number | undefined): ConnectError {
  const status = REFUSED.exec(error.message ?? "")?.[1];
  const code = (error.error as { code?: unknown } | undefined)?.code;
  const why = status ? `the server answered HTTP ${status}` : typeof code === "string" ? code : undefined;
  return new ConnectError(`Could not connect to ${shown}${why ? `: ${why}` : ""}`, {
    phase: "dial",
    delivery: "not-sent",
    status: status === undefined ? undefined : Number(status),
    closeCode,
    cause: error.error ?? (error.message ? { message: error.message } : undefined),
  });
}

class WebSocketConnection implements Connection {
  readonly #socket: WebSocketLike;
  readonly #receiveQueue = new ReceiveQueue();
  readonly #closed: Promise<void>;
  #failure: SocketEvent | undefined;
  readonly flow: SocketFlowControl | undefined;
  readonly ping: (() => Promise<void>) | undefined;
  readonly sendPayload: Connection["sendPayload"];
  hasOpened = false;

  constructor(socket: WebSocketLike, below?: Corkable) {
    this.#socket = socket;
    this.flow =
      socket.pause && socket.resume ? new SocketFlowControl(socket, below ?? corkable(socket)) : undefined;
    this.sendPayload =
      this.flow && socket.sendPayload
        ? (head, bytes, tail) => {
            if (this.isOpen) this.flow?.sendPayload(head, bytes, tail);
          }
        : undefined;
    socket.binaryType = "arraybuffer";
    // The listeners stay for the life of the socket: `ws` throws on an error that nobody listens for.
    listen(socket, "open", () => {
      this.hasOpened = true;
    });
    receive(socket, (data) => {
      const isReady = typeof data === "string" || data instanceof Uint8Array;
      this.#receiveQueue.frame(isReady ? data : new Uint8Array(data));
    });
    listen(socket, "error", (event) => {
      this.#failure = event;
    });
    this.#closed = new Promise((resolve) => {
      listen(socket, "close", (event) => {
        this.#end(closeCodeOf(event), event.reason);
        resolve();
      });
    });
    this.ping = pinger(socket, this.#closed);
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
    else this.#socket.send(frame);
  }

  async close(): Promise<void> {
    this.#socket.close(1000);
    await settledWithin(this.#closed, CLOSE_GRACE_MS);
    if (this.#receiveQueue.ended) return;
    this.#socket.terminate?.();
    await settledWithin(this.#closed, TERMINATE_GRACE_MS);
    // A peer that answers nothing keeps a native socket alive for a while; for the caller it is over.
    this.#receiveQueue.end({ reason: "closed, but the peer did not answer" });
  }

  #end(closeCode: number | undefined, reason: string | undefined): void {
    this.flow?.end();
    const words = reason || this.#failure?.message || `the WebSocket closed with code ${closeCode}`;
    this.#receiveQueue.end({ reason: words, closeCode, cause: this.#failure?.error });
  }
}

/** Deno says 0 of a connection that broke. */
function closeCodeOf({ code }: SocketEvent): number | undefined {
  return code === 0 ? 1006 : code;
}

function listen(socket: WebSocketLike, type: string, listener: (event: SocketEvent) => void): void {
  socket.addEventListener(type, listener as (event: unknown) => void);
}

function corkable(socket: WebSocketLike): Corkable | undefined {
  return socket.cork && socket.uncork ? (socket as Corkable) : undefined;
}

/** Only `ws` has `terminate`; it gives text as the bytes it came in, to whoever asks in its own way. */
function receive(socket: WebSocketLike, onData: (data: string | Uint8Array | ArrayBuffer) => void): void {
  if (socket.on && socket.terminate) socket.on("message", onData as (data: unknown) => void);
  else listen(socket, "message", ({ data }) => onData(data as string | ArrayBuffer));
}

function pinger(socket: WebSocketLike, closed: Promise<void>): Connection["ping"] {
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
