import type { Clients } from "../clients.ts";
import type { Round, Rounds } from "../measure.ts";
import type { RpcClient } from "../rpc-client.ts";

/** The column of the work that no client can avoid: JSON and base64 of the same bytes. */
export const CODEC_ALONE = "codec alone";

export interface Case {
  readonly name: string;
  /** Unit of time of the figures, and the item that they are for. */
  readonly unit: readonly ["ns" | "µs" | "ms", string];
  /** Number of items in one round. */
  readonly amount: number;
  readonly turns: number;
  /**
   * Goals of the SDK: minimum speed and maximum processor time as multiples of those of the hand-written client, and
   * maximum wall time in the unit of the case.
   */
  readonly goal?: { readonly speed?: number; readonly cpu?: number; readonly wall?: number };
  /** Whether the figures are latencies, during which the processor is mostly idle. @default false */
  readonly isLatency?: boolean;
  rounds(clients: Clients): Promise<Rounds>;
}

/** The round of the SDK, and one for each of the other clients. */
export async function roundsForAll(
  clients: Clients,
  sdk: Round,
  other: (client: RpcClient) => Promise<undefined>,
): Promise<Rounds> {
  const others = [...(await clients.others())].map(([name, client]) => [name, () => other(client)] as const);
  return { SDK: sdk, ...Object.fromEntries(others) };
}

export function checkLength(bytes: number, expected: number): undefined {
  if (bytes !== expected) throw new Error(`expected ${expected} bytes, got ${bytes}`);
}
