import type { ConnectionEnd } from "../transport/transport.ts";

/** The close code of a WebSocket that broke off without a goodbye. */
export const ABNORMAL_CLOSURE = 1006;

/** What a dial told besides its frames. */
export interface TestDial {
  /** The URL that was dialled, query and all, where one was. */
  readonly url?: string | undefined;
  /** The WebSocket subprotocols that were offered. @default [] */
  readonly protocols?: readonly string[] | undefined;
  /** The headers of the upgrade request, names in lower case. @default {} */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** How a dial fails. Without a status or a close code, as if nobody listened. */
export interface DialRefusal {
  /** The HTTP status that answers the upgrade. */
  readonly status?: number | undefined;
  /** The WebSocket is opened, and closed at once with this code. */
  readonly closeCode?: number | undefined;
  /** The words of that close; over stdio, the last line on standard error. */
  readonly reason?: string | undefined;
}

/**
 * The server's end of one channel. In memory, over a WebSocket and over stdio it is built in; who has another channel
 * implements this and hands it to {@link TestServerDoor.accept}.
 */
export interface ServerChannel {
  /** Sends one whole frame. */
  send(frame: string | Uint8Array): void;
  /** Sends bytes as they are, below the level of frames. Throws where there is none. */
  sendBytes(bytes: Uint8Array): void;
  /** Takes its leave after everything that was sent. */
  close(code: number, reason: string): void;
  /** Breaks off without a goodbye after everything that was sent. */
  drop(): void;
  /** Breaks off at once; what is on its way may be lost. */
  reset(): void;
  /** Breaks off as soon as this many more bytes have been sent. */
  dropAfterBytes(bytes: number): void;
  /** Reports an error to the client, and then ends. */
  failThenClose(): void;
  /** Ends, and reports an error behind that. */
  closeThenFail(code: number, reason: string): void;
  /** Reads nothing more, the client's goodbye included. */
  pause(): void;
  /** Reads on. */
  resume(): void;
}

/** Where a channel brings what comes from its client. */
export interface ChannelReceiver {
  /** One whole frame has come. */
  onFrame(frame: string): void;
  /** The client has gone. Only the first end counts. */
  onEnd(end: Pick<ConnectionEnd, "closeCode" | "reason">): void;
}

/** What a channel needs of a test server. */
export interface TestServerDoor {
  /** A dial has come. Resolves, as soon as it may go on, with how it is to be refused, or undefined for welcome. */
  admit(): Promise<DialRefusal | undefined>;
  /** A channel is open. */
  accept(channel: ServerChannel, dial?: TestDial): ChannelReceiver;
}
