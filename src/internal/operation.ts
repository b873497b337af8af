import { ExecServerError, redactUrls } from "../errors/error.ts";
import { ServerError } from "../errors/server.ts";
import { isAbortReason } from "./abort.ts";

/** What the user called, for the errors of the call. */
export interface Operation {
  /** The method, such as `"readFile"`. */
  readonly operation: string;
  /** The path, for a file operation: native, as it was given. */
  readonly path?: string | undefined;
  /** The second path, for a copy. Only the message names it. */
  readonly destination?: string | undefined;
  /** The program, for a start: argv[0] up to its first space. */
  readonly program?: string | undefined;
  /** The working directory, for a start that named one. */
  readonly cwd?: string | undefined;
  /** The server's version. Set as soon as the call has a connection. */
  serverVersion?: string | undefined;
  /** The stack of the call, for one that returns a stream: no async call leads from its errors to the caller. */
  readonly trace?: Trace | undefined;
}

interface Trace {
  readonly stack?: string;
}

/** The present stack, from the caller of `above` on. */
export function traceAbove(above: unknown): Trace {
  return retrace({}, above);
}

/** Errors that reach several callers, or come from a callback. They name neither an operation nor a caller's line. */
const shared = new WeakSet<object>();

/** Marks an error as one that several callers get, or that is not of the operation. */
export function markShared(error: unknown): void {
  if (typeof error === "object" && error !== null) shared.add(error);
}

/**
 * Runs one call of the user's. An error of the SDK then names the operation, and its stack has the line of the caller
 * where the runtime follows async calls (V8 does). `work` begins in the same turn.
 *
 * @param signal The caller's: its reason is passed on as it is.
 */
export async function inOperation<T>(
  operation: Operation,
  signal: AbortSignal | undefined,
  work: (operation: Operation) => Promise<T>,
): Promise<T> {
  try {
    return await work(operation);
  } catch (error) {
    if (!isAbortReason(error, signal)) attribute(error, operation);
    throw error;
  }
}

/** Names the operation in an error, unless the error is not the SDK's, is shared, or names one already. */
export function attribute(error: unknown, operation: Operation): void {
  if (!(error instanceof ExecServerError) || error.operation !== undefined || shared.has(error)) return;
  const { destination: _, trace, ...fields } = operation;
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) (error as unknown as Record<string, unknown>)[name] = value;
  }
  // The checks of options name their method already.
  const isNamed = error.message.startsWith(`${operation.operation}()`);
  if (!isNamed) error.message = `${subjectOf(operation)}: ${problemOf(error)}`;
  retrace(error, attribute);
  const [frames] = /\n {4}at .*/s.exec(trace?.stack ?? "") ?? [];
  if (frames) error.stack = `${error.name}: ${error.message}${frames}`;
}

/** Names the method that was called in the error of a method that it has called itself. */
export function reattribute(error: unknown, operation: string): void {
  if (!(error instanceof ExecServerError) || error.operation === undefined || shared.has(error)) return;
  const inner = error.operation;
  (error as { operation: string }).operation = operation;
  if (error.message.startsWith(inner)) error.message = operation + error.message.slice(inner.length);
  retrace(error, reattribute);
}

/** In this turn the async stack leads to the caller; where the error was made, it did not. Only V8 has such stacks. */
function retrace<T extends object>(target: T, above: unknown): T {
  (Error as { captureStackTrace?(target: object, above: unknown): void }).captureStackTrace?.(target, above);
  return target;
}

function subjectOf({ operation, path, program, destination }: Operation): string {
  const object = path ?? program;
  const subject = object === undefined ? operation : `${operation} '${shownText(object)}'`;
  return destination === undefined ? subject : `${subject} to '${shownText(destination)}'`;
}

const MAX_SHOWN = 200;

/**
 * A text of the user's or of a program's, fit for a message: one line of at most 200 characters, without control
 * characters or halves of surrogate pairs.
 */
export function shownText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
  const line = redactUrls(text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " "));
  const shown = line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN - 1)}…` : line;
  return shown.replace(/\p{Surrogate}/gu, "\ufffd");
}

const PROBLEMS: Readonly<Record<string, string>> = {
  "not-found": "not found",
  "already-exists": "already exists",
  "not-a-file": "not a file",
  "not-a-directory": "not a directory",
  "not-empty": "directory not empty, which requires recursive: true",
  "permission-denied": "permission denied",
};

function problemOf(error: ExecServerError): string {
  // A message that names its subject, such as a missing program, needs no explanation.
  const isRaw = error instanceof ServerError && error.message.startsWith("The exec-server rejected");
  const problem = isRaw && error.kind ? PROBLEMS[error.kind] : undefined;
  return problem ? `${problem}. ${error.message}` : error.message;
}
