import type { ConnectionEnd } from "../transport/transport.ts";

/** The close code of a WebSocket that ended without a closing handshake. */
export const ABNORMAL_CLOSURE = 1006;

/** What a client sent to open a connection. */
export interface TestDial {
  /** The dialled URL with its query; undefined where the channel has no URL. */
  readonly url?: string | undefined;
  /** The offered WebSocket subprotocols. @default [] */
  readonly protocols?: readonly string[] | undefined;
  /** The headers of the upgrade request, names in lower case. @default {} */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** How a dial fails. Without a status or a close code, the connection is refused. */
export interface DialRefusal {
  /** The HTTP status that rejects the upgrade. */
  readonly status?: number | undefined;
  /** The WebSocket opens, and closes immediately with this code. */
  readonly closeCode?: number | undefined;
  /** The reason sent with the close code; over stdio, the last line on standard error. */
  readonly reason?: string | undefined;
}

/**
 * The server's end of one channel. Channels in memory, over a WebSocket and over stdio are built in. For any other
 * channel, implement this interface and pass it to {@link TestServerDoor.accept}.
 */
export interface ServerChannel {
  /** Sends one whole frame. */
  send(frame: string | Uint8Array): void;
  /** Sends raw bytes, below the level of frames. Throws if the channel has no such level. */
  sendBytes(bytes: Uint8Array): void;
  /** Sends everything queued, then closes the channel in the regular way. */
  close(code: number, reason: string): void;
  /** Sends everything queued, then ends the channel without a closing handshake. */
  drop(): void;
  /** Ends the channel immediately. Data in flight can be lost. */
  reset(): void;
  /** Drops the channel once this many more bytes were sent. */
  dropAfterBytes(bytes: number): void;
  /** Makes the client's socket report an error, then close. */
  failThenClose(): void;
  /** Makes the client's socket close, then report an error. */
  closeThenFail(code: number, reason: string): void;
  /** Stops reading. A close by the client is not noticed either. */
  pause(): void;
  /** Resumes reading. */
  resume(): void;
}

/** Receives what a channel reads from its client. */
export interface ChannelReceiver {
  /** Called with each whole frame. */
  onFrame(frame: string): void;
  /** Called when the client's end is closed. Further calls are ignored. */
  onEnd(end: Pick<ConnectionEnd, "closeCode" | "reason">): void;
}

/** The part of a test server that accepts channels. */
export interface TestServerDoor {
  /** Called for each dial. Resolves with the refusal, or with undefined if the dial is accepted. */
  admit(): Promise<DialRefusal | undefined>;
  /** Called when an admitted channel is open. Returns the receiver of its frames. */
  accept(channel: ServerChannel, dial?: TestDial): ChannelReceiver;
}
