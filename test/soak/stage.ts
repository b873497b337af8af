import type { Transport } from "../../src/index.ts";
import type { Random } from "../support/random.ts";

/** Something that happens to a connection. */
export interface Fault {
  /** Whether it costs the connection. What does not, costs nothing at all. */
  readonly loses: boolean;
  /** Whether nothing can be dialled until it is repaired. */
  readonly refuses?: boolean;
  /** Whether only `keepAlive` can find it. */
  readonly isSilent?: boolean;
  strike(random: Random): Promise<void> | void;
  repair?(): Promise<void> | void;
}

/** One way to reach a server of its own, and all that can happen on it. */
export interface Stage extends AsyncDisposable {
  readonly name: string;
  readonly faults: Readonly<Record<string, Fault>>;
  /** Whether the channel has pings, so that also a busy connection is found silent. */
  readonly canPing: boolean;
  /** Of a new client. */
  transport(): Transport;
  /** Connections that were begun, as those see it who are dialled. */
  readonly dials: number;
  /** Connections that are open, as they see it. */
  readonly open: number;
  /** Of the server. */
  readonly pid: number | undefined;
  /** For the time between two clients: ends what a server may leave running. */
  renew(): Promise<void>;
}
