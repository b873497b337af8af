import type { Clients } from "../clients.ts";
import type { Round } from "../measure.ts";

export interface Case {
  readonly name: string;
  /** What the SDK is compared with. */
  readonly other: string;
  readonly pairs: number;
  /** How fast the SDK should at least be, as a part of the other's speed. */
  readonly goal?: number;
  /** What one round gets done, for a rate; without it the round's own figure is all there is. */
  readonly work?: { readonly amount: number; readonly unit: string };
  rounds(clients: Clients): Promise<{ readonly sdk: Round; readonly other: Round }>;
}
