import type { Transport } from "../../../src/transport/transport.ts";

/** The far side of one connection. */
export interface Peer {
  /** The next frame of the client; undefined after its end. */
  receive(): Promise<string | undefined>;
  send(...frames: string[]): void;
  /** Resolves when the client's side has read everything sent so far. */
  flushed(): Promise<void>;
  /** Stops reading and answering, also the closing handshake. */
  pause(): void;
  resume(): void;
  /** Closes regularly, after all frames it has sent. */
  end(): void;
  /** Drops the connection without closing it. */
  disappear(): void;
}

/** A transport, and the far side of its connections. */
export interface Harness extends AsyncDisposable {
  readonly transport: Transport;
  /** Called for each connection attempt, before the connection is established. */
  onAttempt: (() => void) | undefined;
  /** How many sockets or child processes were opened. */
  readonly attempts: number;
  /** The far side of the next connection. */
  peer(): Promise<Peer>;
  /** Resolves when all of them are gone. */
  allGone(): Promise<void>;
}
