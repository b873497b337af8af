import { UsageError } from "../errors/usage.ts";
import { base64Length } from "../internal/base64.ts";
import { exceedsUtf8Bytes } from "../internal/bytes.ts";
import { hasLoneSurrogate, MAX_JSON_DEPTH, MAX_JSON_VALUES, measureJson } from "../protocol/json-limits.ts";
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
  readonly trace: TraceContext | undefined;
  readonly payload: Payload | undefined;
}

/** Bytes that become the last member of the params, which must be an object with members. */
export interface Payload<Name extends string = string> {
  readonly name: Name;
  readonly bytes: Uint8Array;
}

/**
 * Encodes a request. The server answers a frame that its parser refuses without saying which request it was, so no such
 * frame is sent.
 *
 * @throws UsageError `ERR_INVALID_ARGUMENT` for params that are no JSON, contain text that is not well-formed, or are
 * nested too deeply; `ERR_TOO_LARGE` for too many bytes or values.
 */
export function requestFrame(
  id: RequestId,
  { method, params, trace, payload }: Request,
  sessionId: string | undefined,
): RequestFrame {
  const refuse = (code: "ERR_INVALID_ARGUMENT" | "ERR_TOO_LARGE", problem: string): never => {
    throw new UsageError(code, problem, { sessionId, delivery: "not-sent" });
  };
  const text = encode({ id, method, trace, params }, refuse);
  const payloadLength = payload ? base64Length(payload.bytes) : 0;
  if (exceedsUtf8Bytes(text, MAX_OUTGOING_FRAME - payloadLength)) {
    refuse("ERR_TOO_LARGE", `A ${method} request must stay below ${MAX_OUTGOING_FRAME} bytes`);
  }
  if (hasLoneSurrogate(text)) {
    const where = pathOfIllFormedText(params) || "the params";
    refuse(
      "ERR_INVALID_ARGUMENT",
      `${where} of ${method} must be well-formed text, got half of a surrogate pair`,
    );
  }
  // A shorter text is within both limits, whatever it contains.
  if (text.length > 2 * MAX_JSON_DEPTH) checkExtent(method, text, refuse);
  if (!payload) return text;
  return { head: `${text.slice(0, -2)},"${payload.name}":"`, bytes: payload.bytes, tail: '"}}' };
}

type Refuse = (code: "ERR_INVALID_ARGUMENT" | "ERR_TOO_LARGE", problem: string) => never;

function encode(
  message: Readonly<Record<string, unknown>> & { readonly method: string },
  refuse: Refuse,
): string {
  try {
    return JSON.stringify(message);
  } catch (error) {
    // A string longer than the runtime allows is a RangeError; cycles and bigints are TypeErrors.
    if (error instanceof RangeError)
      return refuse("ERR_TOO_LARGE", `The params of ${message.method} are too large for JSON`);
    return refuse("ERR_INVALID_ARGUMENT", `The params of ${message.method} can't be written as JSON`);
  }
}

function checkExtent(method: string, text: string, refuse: Refuse): void {
  const { values, depth } = measureJson(text);
  if (depth > MAX_JSON_DEPTH) {
    refuse(
      "ERR_INVALID_ARGUMENT",
      `A ${method} request must nest at most ${MAX_JSON_DEPTH} levels, got ${depth}`,
    );
  }
  if (values > MAX_JSON_VALUES) {
    refuse("ERR_TOO_LARGE", `A ${method} request must hold at most ${MAX_JSON_VALUES} values, got ${values}`);
  }
}

/** Where ill-formed text is, such as `argv[1]`. Never the text: it can be a secret. */
function pathOfIllFormedText(value: unknown, path = ""): string | undefined {
  if (typeof value === "string") return hasLoneSurrogate(JSON.stringify(value)) ? path : undefined;
  if (typeof value !== "object" || value === null) return undefined;
  for (const [name, member] of Object.entries(value)) {
    if (hasLoneSurrogate(JSON.stringify(name))) return `a name in ${path || "the params"}`;
    const memberPath = Array.isArray(value) ? `${path}[${name}]` : path ? `${path}.${name}` : name;
    const found = pathOfIllFormedText(member, memberPath);
    if (found) return found;
  }
  return undefined;
}
