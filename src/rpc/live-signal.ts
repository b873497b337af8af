import { linkedController } from "../internal/abort.ts";
import { type ConnectionFailure, failureOfCall } from "./errors.ts";

/** Calls the listener once, when there is no connection any more. Returns a function that removes it. */
export type OnEnd = (listener: (failure: ConnectionFailure) => void) => () => void;

/** A signal for the time in which a call waits for data of its caller's, and no request of it is pending. */
export interface LiveSignal {
  readonly signal: AbortSignal;
  /** Call it when the wait is over. */
  unlink(): void;
}

/**
 * A signal that aborts with the caller's, and at the end with its failure.
 *
 * @param delivery That of the call, for its error.
 */
export function liveSignal(
  onEnd: OnEnd,
  parent: AbortSignal | undefined,
  delivery: () => "not-sent" | "unknown",
): LiveSignal {
  const { controller, unlink } = linkedController(parent);
  const forget = onEnd((failure) => controller.abort(failureOfCall(failure, delivery())));
  return {
    signal: controller.signal,
    unlink() {
      forget();
      unlink();
    },
  };
}
