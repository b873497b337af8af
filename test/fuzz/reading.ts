export type Frame = string | Uint8Array;

/**
 * What a frame says, read by the protocol's description in the plainest way. It is what the SDK's own reading, which is
 * made to be quick, is held against.
 */
export type Reading =
  | { readonly type: "notification"; readonly method: string; readonly params: unknown }
  | { readonly type: "request"; readonly id: string | number }
  | { readonly type: "answer"; readonly id: string | number; readonly answer: Answer }
  /** Can't be attributed to anything. */
  | { readonly type: "fatal" };

export type Answer =
  | { readonly type: "result"; readonly result: unknown }
  | { readonly type: "error"; readonly code: number; readonly data: unknown }
  | { readonly type: "malformed" };

type Members = Readonly<Record<string, unknown>>;

const decoder = new TextDecoder("utf-8", { fatal: true });
const FATAL: Reading = { type: "fatal" };

/** The member by which a notification names what it is about. */
const SUBJECTS: Readonly<Record<string, { readonly key: string; readonly type: string }>> = {
  "process/output": { key: "processId", type: "string" },
  "process/exited": { key: "processId", type: "string" },
  "process/closed": { key: "processId", type: "string" },
  "http/request/bodyDelta": { key: "requestId", type: "string" },
  "fs/missingChanged": { key: "watchId", type: "number" },
};

export function read(frame: Frame): Reading {
  try {
    const value: unknown = JSON.parse(typeof frame === "string" ? frame : decoder.decode(frame));
    if (typeof value !== "object" || value === null || Array.isArray(value)) return FATAL;
    return readMembers(value as Members);
  } catch {
    return FATAL;
  }
}

/** The thing that a notification is about; undefined for one that is about nothing known. */
export function subjectOf(method: string, params: unknown): string | number | undefined {
  const subject = Object.hasOwn(SUBJECTS, method) ? SUBJECTS[method] : undefined;
  return subject && ((params as Members)[subject.key] as string | number);
}

function readMembers(message: Members): Reading {
  const { id, method, params } = message;
  const isId = typeof id === "string" || typeof id === "number";
  if (typeof method === "string") {
    if (id === undefined || id === null)
      return isAttributable(method, params) ? { type: "notification", method, params } : FATAL;
    return isId ? { type: "request", id } : FATAL;
  }
  return method === undefined && isId ? { type: "answer", id, answer: readAnswer(message) } : FATAL;
}

function readAnswer(message: Members): Answer {
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
