import type { Transport } from "../../src/index.ts";
import type { Random } from "../support/random.ts";

/** A disturbance of a connection. */
export interface Fault {
  /** Whether the connection is lost. A fault that does not disconnect must not fail anything. */
  readonly disconnects: boolean;
  /** Whether new connections fail until the fault is repaired. */
  readonly refusesDials?: boolean;
  /** Whether only `keepAlive` can detect the loss. */
  readonly isSilent?: boolean;
  inject(random: Random): Promise<void> | void;
  repair?(): Promise<void> | void;
}

/** A dedicated server, the path to it, and the faults that can be injected on both. */
export interface Setup {
  readonly name: string;
  readonly faults: Readonly<Record<string, Fault>>;
  /** Whether the channel supports pings, so that a silent connection is detected while requests are in flight. */
  readonly canPing: boolean;
  /** Whether a client can open a second connection. */
  readonly isReconnectable: boolean;
  /** Number of dials so far, counted on the accepting side. */
  readonly dials: number;
  /** Number of open connections, counted on the accepting side. */
  readonly open: number;
  /** Process id of the server. */
  readonly pid: number | undefined;
  /** Ends everything the server still runs. Called between two clients. */
  renew(): Promise<void>;
}

/** A setup for clients in this process. */
export interface LocalSetup extends Setup, AsyncDisposable {
  /** Returns the transport for a new client. */
  transport(): Transport;
}
