import { ProtocolError } from "../errors/connection.ts";
import { platformClass } from "../internal/platform.ts";

/**
 * The server's JSON-RPC dialect: no `jsonrpc` member is sent and one that arrives is ignored; there are no batches.
 * What a message is follows from its members alone.
 */

/** The id of a request. @inline */
export type RequestId = string | number;

/** An error as on the wire. */
export interface RpcErrorObject {
  /** The number of the error in JSON-RPC. */
  readonly code: number;
  /** The error in words. */
  readonly message: string;
  /** Details of the error. */
  readonly data?: unknown;
}

export type IncomingMessage =
  | { readonly type: "request"; readonly id: RequestId; readonly method: string; readonly params: unknown }
  | { readonly type: "notification"; readonly method: string; readonly params: unknown }
  | { readonly type: "result"; readonly id: RequestId; readonly result: unknown }
  | { readonly type: "error"; readonly id: RequestId; readonly error: RpcErrorObject }
  /** Has the id of a request, but neither a result nor a valid error. */
  | { readonly type: "malformed-response"; readonly id: RequestId };

/** The id of the server's error response to a message that it could not read (measured on 0.171.0). */
export const UNKNOWN_REQUEST = -1;
export const RPC_METHOD_NOT_FOUND = -32601;
export const RPC_INTERNAL_ERROR = -32603;

let decoder: TextDecoder | undefined;

/** Throws a {@link ProtocolError} for a frame that can't be attributed to anything. */
export function parseMessage(frame: string | Uint8Array): IncomingMessage {
  const message = parseObject(frame);
  const { id, method, params } = message;
  if (typeof method === "string") {
    if (id === undefined || id === null) return { type: "notification", method, params };
    if (isRequestId(id)) return { type: "request", id, method, params };
  } else if (method === undefined && isRequestId(id)) {
    if (Object.hasOwn(message, "result")) return { type: "result", id, result: message["result"] };
    const error = message["error"];
    return isRpcError(error) ? { type: "error", id, error } : { type: "malformed-response", id };
  }
  throw new ProtocolError(
    "The server sent a message that is neither a request, a notification nor a response",
  );
}

function parseObject(frame: string | Uint8Array): Record<string, unknown> {
  let value: unknown;
  decoder ??= new (platformClass("TextDecoder"))("utf-8", { fatal: true });
  try {
    value = JSON.parse(typeof frame === "string" ? frame : decoder.decode(frame));
  } catch {
    // The parser's own text quotes the frame, which may hold anything.
    throw new ProtocolError("The server sent a frame that is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ProtocolError("The server sent a frame that is not a JSON object");
  }
  return value as Record<string, unknown>;
}

function isRequestId(id: unknown): id is RequestId {
  return typeof id === "string" || typeof id === "number";
}

function isRpcError(error: unknown): error is RpcErrorObject {
  const candidate = error as Partial<RpcErrorObject> | null | undefined;
  return typeof candidate?.code === "number" && typeof candidate.message === "string";
}
