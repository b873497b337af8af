/** A WebSocket with the standard members that the SDK uses: that of browsers, of Node, of `ws` and of undici. */
export interface WebSocketLike {
  /** 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: number;
  /** How binary messages arrive. The SDK sets it to `"arraybuffer"`. */
  binaryType: string;
  /** Bytes passed to `send` that have not left yet. */
  readonly bufferedAmount?: number;
  /** Listens for `open`, `message`, `error` and `close`. */
  addEventListener(type: string, listener: (event: unknown) => void): void;
  /** Sends one text message. */
  send(data: string): void;
  /** Starts the closing handshake. */
  close(code?: number, reason?: string): void;
}

/** Members beyond the standard, all optional: those of the `ws` package and of the node entry's own socket. */
export interface ExtendedWebSocket extends WebSocketLike, Partial<Corkable> {
  /** `ws` calls back when the message has left this process. */
  send(data: string, onSent?: () => void): void;
  /** Sends one text message made of `head`, `bytes` as base64 and `tail`. */
  sendPayload?(head: string, bytes: Uint8Array, tail: string, onSent: () => void): void;
  /** Destroys the underlying socket without waiting for the peer. */
  terminate?(): void;
  ping?(): void;
  /** Listens for messages as the raw data that arrived, for pongs, and for the response to the upgrade request. */
  on?(type: "message" | "pong" | "upgrade", listener: (data: unknown) => void): unknown;
  /** The bytes of this message, and of every message before it, are not used any more. */
  release?(message: Uint8Array): void;
  /** Pauses reading. */
  pause?(): void;
  /** Resumes reading. */
  resume?(): void;
}

/** A stream that can hold writes back and then write them with one system call. */
export interface Corkable {
  cork(): void;
  uncork(): void;
}

/** The members of the standard events, and of those of `ws`, that the SDK reads. */
export interface SocketEvent {
  readonly data?: unknown;
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly error?: unknown;
}

export function listen(socket: WebSocketLike, type: string, listener: (event: SocketEvent) => void): void {
  socket.addEventListener(type, listener as (event: unknown) => void);
}

/** The close code of an event. Deno reports a broken connection as 0 instead of 1006. */
export function closeCodeOf({ code }: SocketEvent): number | undefined {
  return code === 0 ? 1006 : code;
}
