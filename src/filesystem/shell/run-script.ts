import { ServerError } from "../../errors/server.ts";
import { UsageError } from "../../errors/usage.ts";
import { invalid } from "../../internal/arguments.ts";
import { type Bytes, textOf } from "../../internal/bytes.ts";
import { shownText } from "../../internal/operation.ts";
import type { PathParams } from "../../protocol/filesystem.ts";
import { RPC_INTERNAL_ERROR } from "../../protocol/json-rpc.ts";
import { toNativePath } from "../../protocol/path-uri.ts";
import { serverError } from "../../rpc/errors.ts";
import type { FileSession } from "../file-session.ts";
import { FILE_SCRIPT } from "./script.ts";

/** The exit code of a shell that does not find a program. */
const NOT_FOUND = 127;

/** The first line that the script writes to standard error. */
export const RAN = "es_ran";

/** The lines behind that of the failure: of tar, and of mksh. */
const TRAILING_LINES = /\n(tar: Exiting .*|\S*tar: Error (exit|is not) .*|.*: redirection failure)$/gm;

/** What a script is given beside its arguments. */
export interface ScriptInput {
  /** A variable, which other users can't read. */
  readonly data?: string | undefined;
  readonly input?: Uint8Array | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs one operation of the file script on a path, with one start of a shell. Returns what it has printed.
 *
 * @throws ServerError as a file method of the protocol.
 * @throws UsageError `ERR_UNSUPPORTED` where the server has no POSIX shell or lacks a program.
 */
export async function runFileScript(
  session: FileSession,
  [operation, ...args]: readonly [operation: string, ...args: string[]],
  { path, sandbox }: PathParams,
  { data, input, signal }: ScriptInput,
): Promise<Bytes> {
  const { rpc, shell } = session;
  const env = data === undefined ? {} : { data };
  const command = [operation, scriptPath(session, path), ...args];
  const { exitCode, stdout, stderr } = await shell.run(FILE_SCRIPT, command, { env, input, sandbox, signal });
  const [before = "", errors] = textOf(stderr).split(`${RAN}\n`);
  // busybox's head exits with 0 when the disk is full.
  if (exitCode === 0 && (operation !== "put" || errors === "")) return stdout;
  throw errors === undefined
    ? notStarted(before, rpc.sessionId)
    : scriptFailure(exitCode, errors, path, rpc.sessionId);
}

/** What the sandbox has reported in place of the shell. It says nothing of the path. */
export function notStarted(stderr: string, sessionId: string | undefined): Error {
  return new ServerError(`The shell did not start: ${shownText(stderr.trim())}`, {
    rpcCode: RPC_INTERNAL_ERROR,
    sessionId,
    delivery: "answered",
  });
}

/** What a script that failed on a path has reported, as an error of the server. */
export function scriptFailure(
  exitCode: number,
  stderr: string,
  path: string,
  sessionId: string | undefined,
): Error {
  const problem = stderr.replace(TRAILING_LINES, "").trim();
  const lastLine = problem.slice(problem.lastIndexOf("\n") + 1);
  if (exitCode === NOT_FOUND) {
    const message = `The server's machine lacks a program: ${shownText(lastLine)}`;
    return new UsageError("ERR_UNSUPPORTED", message, { sessionId, delivery: "answered" });
  }
  // Tools name the path before the system's error, zsh after it. A path may contain the words of another error.
  const afterError = `: ${toNativePath(path)}`;
  const line = lastLine.endsWith(afterError) ? lastLine.slice(0, -afterError.length) : lastLine;
  const message = line.slice(line.lastIndexOf(": ") + 1).trim() || `exit code ${exitCode}`;
  return serverError({ code: RPC_INTERNAL_ERROR, message }, "process/start", sessionId);
}

/**
 * A path as `printf %b` reads it. A name that is not UTF-8 has no native form, but can be written byte by byte.
 *
 * @throws UsageError `ERR_UNSUPPORTED` on a server that runs no scripts, whose paths these may be.
 */
export function scriptPath({ server }: FileSession, uri: string): string {
  server.need("scripts", "This");
  const native = toNativePath(uri);
  if (native.startsWith("/")) return escapedText(native);
  if (!uri.startsWith("file:///") || uri.includes("%00") || /^file:\/\/\/[A-Z]:/.test(uri))
    return invalid("path must be a POSIX path on this server");
  return uri.slice("file://".length).replace(/%(..)/g, (_, hex) => octal(Number.parseInt(hex, 16)));
}

/** Text as `printf %b` reads it. */
export function escapedText(text: string): string {
  return text.replaceAll("\\", "\\\\");
}

/** Any bytes as `printf %b` reads them: what is not plain ASCII takes five characters. */
export function escapedBytes(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    const isPlain = (byte >= 0x20 && byte < 0x7f && byte !== 0x5c) || byte === 0x0a;
    text += isPlain ? String.fromCharCode(byte) : octal(byte);
  }
  return text;
}

function octal(byte: number): string {
  return `\\0${byte.toString(8).padStart(3, "0")}`;
}
