import { UsageError } from "../errors.ts";
import { exceedsUtf8Bytes } from "../internal/bytes.ts";
import type { RequestId } from "../protocol/json-rpc.ts";

/** A W3C trace context. */
export interface TraceContext {
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
}

/** The server closes the connection on a frame above 16 MiB (measured); the rest is a margin. */
const MAX_OUTGOING_FRAME = 15 * 1024 * 1024;

/** A request as it is sent, or why it can't be. */
export function requestFrame(
  id: RequestId,
  { method, params }: { readonly method: string; readonly params: unknown },
  trace: TraceContext | undefined,
  sessionId: string | undefined,
): string | UsageError {
  const details = { sessionId, delivery: "not-sent" } as const;
  let frame: string;
  try {
    frame = JSON.stringify(trace ? { id, method, params, trace } : { id, method, params });
  } catch {
    return new UsageError(
      "ERR_INVALID_ARGUMENT",
      `The params of ${method} can't be written as JSON`,
      details,
    );
  }
  if (!exceedsUtf8Bytes(frame, MAX_OUTGOING_FRAME)) return frame;
  return new UsageError(
    "ERR_TOO_LARGE",
    `A ${method} request must stay below ${MAX_OUTGOING_FRAME} bytes`,
    details,
  );
}
