import { UsageError } from "../errors.ts";
import { base64Length } from "../internal/base64.ts";
import { exceedsUtf8Bytes } from "../internal/bytes.ts";
import type { RequestId } from "../protocol/json-rpc.ts";

/** A W3C trace context. */
export interface TraceContext {
  /** The `traceparent` header: version, trace id, parent id and flags. Without it no context is sent. */
  readonly traceparent?: string | undefined;
  /** The `tracestate` header: vendor-specific entries. */
  readonly tracestate?: string | undefined;
}

/** Bytes. The server closes the connection on a frame above 16 MiB (measured); the difference is a margin. */
const MAX_OUTGOING_FRAME = 15 * 1024 * 1024;

/** A request as it is sent: its text, or the text before and after bytes that are sent as base64. */
export type RequestFrame =
  | string
  | { readonly head: string; readonly bytes: Uint8Array; readonly tail: string };

interface Request {
  readonly method: string;
  readonly params: unknown;
  readonly payload: Payload | undefined;
}

/** Bytes that become the last member of the params, which must be an object with members. */
export interface Payload {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Encodes a request. Throws a UsageError if no frame can hold it. */
export function requestFrame(
  id: RequestId,
  { method, params, payload }: Request,
  trace: TraceContext | undefined,
  sessionId: string | undefined,
): RequestFrame {
  let text: string;
  try {
    text = JSON.stringify({ id, method, trace, params });
  } catch {
    const problem = `The params of ${method} can't be written as JSON`;
    throw new UsageError("ERR_INVALID_ARGUMENT", problem, { sessionId, delivery: "not-sent" });
  }
  const payloadLength = payload ? base64Length(payload.bytes) : 0;
  if (exceedsUtf8Bytes(text, MAX_OUTGOING_FRAME - payloadLength)) {
    const problem = `A ${method} request must stay below ${MAX_OUTGOING_FRAME} bytes`;
    throw new UsageError("ERR_TOO_LARGE", problem, { sessionId, delivery: "not-sent" });
  }
  if (!payload) return text;
  return { head: `${text.slice(0, -2)},"${payload.name}":"`, bytes: payload.bytes, tail: '"}}' };
}
