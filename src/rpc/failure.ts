import { ClosedError, type Delivery, DisconnectedError } from "../errors.ts";

/** Why a connection is over. The first one found is what everybody on it is told. */
export type ConnectionFailure = DisconnectedError | ClosedError;

/** The same failure, as one request saw it. */
export function failureOfCall(failure: ConnectionFailure, delivery: Delivery): ConnectionFailure {
  const { sessionId } = failure;
  if (failure instanceof ClosedError) return new ClosedError({ sessionId, delivery });
  const { reason, closeCode, cause } = failure;
  return new DisconnectedError(reason, { sessionId, delivery, closeCode, cause });
}
