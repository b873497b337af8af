export type Frame = string | Uint8Array;

/**
 * A frame as decoded by the plainest reading of the protocol. The SDK's own decoder, which is optimised for speed, must
 * agree with it.
 */
export type DecodedFrame =
  | { readonly type: "notification"; readonly method: string; readonly params: unknown }
  | { readonly type: "request"; readonly id: string | number }
  | { readonly type: "response"; readonly id: string | number; readonly response: RpcResponse }
  /** The response to a request that the server could not read, and therefore does not name. */
  | { readonly type: "unattributed"; readonly response: RpcResponse }
  /** Cannot be attributed to a request or subject, so it ends the connection. */
  | { readonly type: "fatal" };

export type RpcResponse =
  | { readonly type: "result"; readonly result: unknown }
  | { readonly type: "error"; readonly code: number; readonly data: unknown }
  | { readonly type: "malformed" };

type Members = Readonly<Record<string, unknown>>;

const decoder = new TextDecoder("utf-8", { fatal: true });
const FATAL: DecodedFrame = { type: "fatal" };
/** The id of the server's response to a message that it could not read. */
const UNREADABLE_REQUEST = -1;

/** The member of the params that identifies the process, body or watch of a notification. */
const SUBJECTS: Readonly<Record<string, { readonly key: string; readonly type: string }>> = {
  "process/output": { key: "processId", type: "string" },
  "process/exited": { key: "processId", type: "string" },
  "process/closed": { key: "processId", type: "string" },
  "http/request/bodyDelta": { key: "requestId", type: "string" },
  "fs/missingChanged": { key: "watchId", type: "number" },
};

export function decode(frame: Frame): DecodedFrame {
  try {
    const value: unknown = JSON.parse(typeof frame === "string" ? frame : decoder.decode(frame));
    if (typeof value !== "object" || value === null || Array.isArray(value)) return FATAL;
    return decodeMembers(value as Members);
  } catch {
    return FATAL;
  }
}

/** The id of the process, body or watch of a notification; undefined for an unknown method. */
export function subjectOf(method: string, params: unknown): string | number | undefined {
  const subject = Object.hasOwn(SUBJECTS, method) ? SUBJECTS[method] : undefined;
  return subject && ((params as Members)[subject.key] as string | number);
}

function decodeMembers(message: Members): DecodedFrame {
  const { id, method, params } = message;
  const isId = typeof id === "string" || typeof id === "number";
  if (typeof method === "string") {
    if (id === undefined || id === null)
      return isAttributable(method, params) ? { type: "notification", method, params } : FATAL;
    return isId ? { type: "request", id } : FATAL;
  }
  if (method !== undefined || !isId) return FATAL;
  const response = decodeResponse(message);
  if (id === UNREADABLE_REQUEST && response.type !== "result") return { type: "unattributed", response };
  return { type: "response", id, response };
}

function decodeResponse(message: Members): RpcResponse {
  if (Object.hasOwn(message, "result")) return { type: "result", result: message["result"] };
  const { code, message: text, data } = (message["error"] ?? {}) as Members;
  const isError = typeof code === "number" && typeof text === "string";
  return isError ? { type: "error", code, data } : { type: "malformed" };
}

function isAttributable(method: string, params: unknown): boolean {
  const subject = Object.hasOwn(SUBJECTS, method) ? SUBJECTS[method] : undefined;
  if (!subject) return true;
  return typeof (params as Members | null | undefined)?.[subject.key] === subject.type;
}
