import { ClosedError, DisconnectedError } from "../errors/connection.ts";
import type { Delivery } from "../errors/error.ts";
import { ServerError, type ServerErrorKind } from "../errors/server.ts";
import { RPC_METHOD_NOT_FOUND, type RpcErrorObject } from "../protocol/json-rpc.ts";

/** Kinds by error text, because the server has few error codes. The texts are those of server 0.169.0. */
const KINDS: readonly (readonly [RegExp, ServerErrorKind])[] = [
  [/already exists|file exists/i, "already-exists"],
  [/is not a file|is a directory/i, "not-a-file"],
  [/not a directory/i, "not-a-directory"],
  [/directory not empty/i, "not-empty"],
  [/no such file|not found|no viable candidates|os error 2\)/i, "not-found"],
  [/permission denied|os error 13\)/i, "permission-denied"],
  [/connection refused/i, "refused"],
  [/unreachable|no route to host/i, "unreachable"],
  [/reset by peer|broken pipe/i, "reset"],
  [/timed out/i, "timed-out"],
  // Of a host.
  [/name resolution|temporary failure|not known|unknown node/i, "not-found"],
];

export function serverError(
  error: RpcErrorObject,
  method: string,
  sessionId: string | undefined,
): ServerError {
  return new ServerError(`The exec-server rejected ${method} (${error.code}): ${error.message}`, {
    rpcCode: error.code,
    data: error.data,
    kind: kindOf(error),
    sessionId,
    delivery: "answered",
  });
}

function kindOf({ code, message }: RpcErrorObject): ServerErrorKind | undefined {
  if (code === RPC_METHOD_NOT_FOUND) return "unsupported";
  if (code === -32004) return "not-found";
  return kindOfText(message) ?? (code === -32600 || code === -32602 ? "invalid" : undefined);
}

/** What an error is about, by the words of a system or of the server. */
export function kindOfText(text: string): ServerErrorKind | undefined {
  return KINDS.find(([pattern]) => pattern.test(text))?.[1];
}

/** Why a connection has ended. Everything pending on it rejects with the first failure. */
export type ConnectionFailure = DisconnectedError | ClosedError;

/** The failure of a connection, as the error of one call on it. */
export function failureOfCall(failure: ConnectionFailure, delivery: Delivery): ConnectionFailure {
  const { sessionId } = failure;
  if (failure instanceof ClosedError) return new ClosedError({ sessionId, delivery });
  const { reason, closeCode, cause } = failure;
  return new DisconnectedError(reason, { sessionId, delivery, closeCode, cause });
}
