import type { Clients } from "../clients.ts";
import type { Round, Rounds } from "../measure.ts";
import type { RpcClient } from "../rpc-client.ts";

/** The column of the work that nobody gets around: reading and writing the JSON and base64 of the same bytes. */
export const ALONE = "codec alone";

export interface Case {
  readonly name: string;
  /** What the figures are for one of, and in which unit of time. */
  readonly unit: readonly ["ns" | "µs" | "ms", string];
  /** How many of those there are in one round. */
  readonly amount: number;
  readonly turns: number;
  /**
   * What the SDK should reach: at least so many times the hand-written client's speed, at most this part of its processor
   * time, and no longer than this in the case's own unit.
   */
  readonly goal?: { readonly speed?: number; readonly cpu?: number; readonly wall?: number };
  /** Figures of single waits, in which the processor mostly idles. @default false */
  readonly isLatency?: boolean;
  rounds(clients: Clients): Promise<Rounds>;
}

/** The SDK's round, and the same one for each of the others. */
export async function everyone(
  clients: Clients,
  sdk: Round,
  other: (client: RpcClient) => Promise<undefined>,
): Promise<Rounds> {
  const others = [...(await clients.others())].map(([name, client]) => [name, () => other(client)] as const);
  return { SDK: sdk, ...Object.fromEntries(others) };
}

export function complete(bytes: number, expected: number): undefined {
  if (bytes !== expected) throw new Error(`${bytes} bytes of ${expected} have arrived`);
}
