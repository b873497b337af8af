import { unobserved } from "../internal/deferred.ts";
import { settledWithin } from "../internal/timer.ts";
import type { RpcPeer } from "../rpc/peer.ts";
import type { LaunchSetup } from "./launcher/launch.ts";
import type { ProcessState } from "./state.ts";

/** Milliseconds that the launcher of an abandoned start has to remove the name of its fifo. */
const LAUNCH_MS = 2_000;

/** A start that was requested. */
export interface RequestedStart {
  /** Rejects if there is no process. */
  readonly started: Promise<void>;
  readonly state: ProcessState;
  readonly setup: LaunchSetup | undefined;
}

/** Terminates a process whose handle the caller never receives, and releases its state. Never rejects. */
export async function abandonStart(
  rpc: RpcPeer,
  processId: string,
  { started, state, setup }: RequestedStart,
): Promise<void> {
  try {
    await started;
    // A launcher that is killed before it has removed the name of its fifo leaves that for good.
    if (setup?.type === "pipes" && setup.input) await settledWithin(state.launched, LAUNCH_MS);
    void unobserved(rpc.call("process/terminate", { processId }, { releases: true }));
  } catch {
    // There is nothing to terminate.
  } finally {
    state.release();
  }
}
