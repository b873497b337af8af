import type { Transport } from "../../../src/transport/transport.ts";

/** The far side of one connection. */
export interface Peer {
  /** The next frame that the client sent; undefined when it has gone. */
  receive(): Promise<string | undefined>;
  send(...frames: string[]): void;
  /** Resolves when the client's side has read everything sent so far. */
  flushed(): Promise<void>;
  /** Stops reading and answering, goodbyes included. */
  pause(): void;
  resume(): void;
  /** Takes its leave, after everything it has sent. */
  end(): void;
  /** Is gone without a word. */
  vanish(): void;
}

/** A transport, and the place it leads to. */
export interface Harness extends AsyncDisposable {
  readonly transport: Transport;
  /** Called as soon as a connection attempt shows, before the connection is there. */
  onAttempt: (() => void) | undefined;
  /** How many sockets or child processes there have been. */
  readonly attempts: number;
  /** The far side of the next connection. */
  peer(): Promise<Peer>;
  /** Resolves when every socket or child process there has been is gone. */
  allGone(): Promise<void>;
}
