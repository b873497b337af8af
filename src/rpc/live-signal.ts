import { linkedController } from "../internal/abort.ts";
import { failureOfCall } from "./errors.ts";
import type { RpcPeer } from "./peer.ts";

/** A signal for the time in which a call waits for something of its caller's, and so has nothing pending on the connection. */
export interface LiveSignal {
  readonly signal: AbortSignal;
  /** Call it when the wait is over. */
  unlink(): void;
}

/**
 * A signal that aborts with the caller's, and with the failure of the connection when that ends.
 *
 * @param delivery That of the call, for its error.
 * @param isMeant Whether an end counts. @default every one
 */
export function liveSignal(
  peer: Pick<RpcPeer, "onEnd">,
  parent: AbortSignal | undefined,
  delivery: "not-sent" | "unknown",
  isMeant: () => boolean = () => true,
): LiveSignal {
  const { controller, unlink } = linkedController(parent);
  const forget = peer.onEnd((failure) => {
    if (isMeant()) controller.abort(failureOfCall(failure, delivery));
  });
  return {
    signal: controller.signal,
    unlink() {
      forget();
      unlink();
    },
  };
}
