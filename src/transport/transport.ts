import { invalid, received } from "../internal/arguments.ts";
import { settledWithin } from "../internal/timer.ts";

/**
 * The contract between the SDK and a channel to an exec-server. WebSocket, stdio and message port are built in; a
 * custom transport implements `Transport` and `Connection`.
 */

/**
 * Opens connections to one exec-server. Does nothing before the first call of `connect`.
 *
 * @example
 * import { type Transport, webSocket } from "exec-server-sdk";
 *
 * const primary = webSocket("ws://127.0.0.1:8080");
 * const logged: Transport = {
 *   reconnectable: primary.reconnectable,
 *   async connect(context) {
 *     console.log("dialling");
 *     return await primary.connect(context);
 *   },
 * };
 */
export interface Transport {
  /** Whether a new connection can replace one that has ended. False for a child process: it is started once. */
  readonly reconnectable: boolean;
  /**
   * Opens one connection. Rejects if the connection can't be opened. Once `signal` aborts, the attempt releases
   * everything it has opened.
   */
  connect(context: ConnectContext): Promise<Connection>;
}

/** What a function gets that returns an address or a port for one attempt. */
export interface TargetContext {
  /** Aborts when the attempt is no longer needed: when the last caller that waits for the connection has aborted. */
  readonly signal: AbortSignal;
}

/** What a transport gets for one attempt. */
export interface ConnectContext extends TargetContext {
  /** Reports what the attempt waits for. The error of a timeout quotes the latest report. Must not hold a credential. */
  readonly waitingFor?: ((reason: string) => void) | undefined;
}

/** One open channel of whole frames. Each frame is one JSON message. */
export interface Connection {
  /** False as soon as the channel can't carry frames any more, even before `onEnd` is called. */
  readonly isOpen: boolean;
  /**
   * Starts delivery; called once. Frames that arrived earlier were queued. The receiver gets everything in the order of
   * arrival, the end last.
   */
  start(receiver: ConnectionReceiver): void;
  /** Sends one frame. Never throws; a frame sent after the end is dropped. */
  send(frame: string): void;
  /**
   * Sends one frame made of `head`, `bytes` as base64 and `tail`, as text or as its UTF-8 bytes; `bytes` may change
   * afterwards. Missing where that is not quicker than `send`.
   */
  readonly sendPayload?: ((head: string, bytes: Uint8Array, tail: string) => void) | undefined;
  /** Closes the connection from this side. Never rejects, settles within two seconds even if the peer is dead. */
  close(): Promise<void>;
  /**
   * Pings the peer below the level of messages. Resolves when the pong has arrived or the connection has ended. Missing
   * where the runtime offers no ping.
   */
  readonly ping?: (() => Promise<void>) | undefined;
  /**
   * Lets this connection keep a Node process alive, as it does at first. Called when the first operation becomes pending.
   * Missing where the runtime can't choose.
   */
  readonly ref?: (() => void) | undefined;
  /** Lets the process end although this connection is open. Called when nothing is pending any more. */
  readonly unref?: (() => void) | undefined;
  /** Backpressure, for a proxy that forwards frames to a slower side. Missing where the runtime offers none. */
  readonly flow?: FlowControl | undefined;
}

/** Backpressure of a connection: pauses incoming frames and measures outgoing ones. */
export interface FlowControl {
  /** Pauses delivery. The peer is held up in turn, once the buffers between are full. */
  pause(): void;
  /** Resumes delivery. */
  resume(): void;
  /** Bytes passed to `send` that have not left this process yet. */
  readonly queuedBytes: number;
  /** Resolves when all of these bytes have left, or the connection has ended. */
  drained(): Promise<void>;
}

/** Receives the frames and the end of a connection. */
export interface ConnectionReceiver {
  /** One whole frame has arrived, as text or as its UTF-8 bytes. */
  onFrame(frame: string | Uint8Array): void;
  /**
   * Whether nothing refers to the bytes of a frame once `onFrame` has returned. The transport may then use their memory
   * again. @default false
   */
  readonly releasesFrames?: boolean | undefined;
  /** Called exactly once, whichever side ended the connection. No frame comes after it. */
  onEnd(end: ConnectionEnd): void;
}

/** How a connection ended. */
export interface ConnectionEnd {
  /** The reason as text, where it is known. Must not hold a credential. */
  readonly reason?: string | undefined;
  /** WebSocket close code. */
  readonly closeCode?: number | undefined;
  /** The underlying error. */
  readonly cause?: unknown;
  /** Which side closed it, where that is not evident from the close code. */
  readonly closedBy?: "client" | undefined;
}

/**
 * The longest frame accepted, in characters (in bytes, for a frame that arrives as bytes). A longer one ends the
 * connection: no exec-server sends messages of that size.
 */
export const MAX_INCOMING_FRAME = 64 * 1024 * 1024;

/** Connections close within two seconds by contract. This bounds a custom one that does not. */
const CLOSE_MS = 2_000;

/** Closes a connection. Never rejects, and takes a bounded time even if a custom `close` breaks the contract. */
export function closed(connection: Connection): Promise<void> {
  return settledWithin((async () => connection.close())(), CLOSE_MS);
}

/** Opens a connection. Rejects if a custom transport resolves with something else. */
export async function opened(transport: Transport, context: ConnectContext): Promise<Connection> {
  const connection = await transport.connect(context);
  return typeof connection?.start === "function"
    ? connection
    : invalid(`The transport's connect() must resolve with a connection, got ${received(connection)}`, {
        delivery: "not-sent",
      });
}
