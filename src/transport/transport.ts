/**
 * What the SDK needs of a channel to an exec-server. WebSocket and stdio are built in; a custom transport implements
 * these two interfaces.
 */

/** Knows how to reach one exec-server. Does nothing until asked. */
export interface Transport {
  /** Whether a new connection makes sense after one has ended. False for a child process: it is started once. */
  readonly reconnectable: boolean;
  /**
   * Opens one connection. Rejects when it can't be opened; after `signal` aborts it releases everything it had
   * opened so far.
   */
  connect(context: { readonly signal: AbortSignal }): Promise<Connection>;
}

/** One live channel of whole frames, each one JSON message. */
export interface Connection {
  /** False from the moment the channel can't carry frames any more, even if `onEnd` is still to come. */
  readonly isOpen: boolean;
  /**
   * Starts delivery; called once. Frames that came earlier were kept. Everything is delivered in the order in which
   * it arrived, the end last.
   */
  start(receiver: ConnectionReceiver): void;
  /** Never throws; what is sent after the end is dropped. */
  send(frame: string): void;
  /**
   * Sends one frame made of `head`, `bytes` as base64 and `tail`; `bytes` may change afterwards. Missing where that is not
   * quicker than `send`.
   */
  readonly sendPayload?: ((head: string, bytes: Uint8Array, tail: string) => void) | undefined;
  /** Ends the connection from this side. Never rejects, settles within two seconds even if the peer is dead. */
  close(): Promise<void>;
  /**
   * Asks the peer for a sign of life below the messages, and resolves when it has come or the connection has ended.
   * Missing where the runtime offers no such thing.
   */
  readonly ping?: (() => Promise<void>) | undefined;
  /** For whoever passes frames on to somebody slower. Missing where the runtime offers no such thing. */
  readonly flow?: FlowControl | undefined;
}

/** A brake on what arrives, and a gauge of what leaves. */
export interface FlowControl {
  /** Stops delivery. The peer is held up in turn, once the buffers between are full. */
  pause(): void;
  /** Goes on with delivery. */
  resume(): void;
  /** Bytes handed to `send` that have not left this process yet. */
  readonly queuedBytes: number;
  /** Resolves when they all have, or the connection has ended. */
  drained(): Promise<void>;
}

/** Where a connection delivers. */
export interface ConnectionReceiver {
  /** One whole frame has arrived, as text or as the bytes of it. */
  onFrame(frame: string | Uint8Array): void;
  /** Called exactly once, whoever ended the connection; no frame comes after it. */
  onEnd(end: ConnectionEnd): void;
}

/** How a connection ended. */
export interface ConnectionEnd {
  /** Why, in words, where it is known. Must not hold a credential. */
  readonly reason?: string | undefined;
  /** WebSocket close code. */
  readonly closeCode?: number | undefined;
  /** The underlying error. */
  readonly cause?: unknown;
}

/** Frames longer than this, in characters (bytes, if they come as bytes), end the connection: nothing the server has to say is that long. */
export const MAX_INCOMING_FRAME = 64 * 1024 * 1024;
