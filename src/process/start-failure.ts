import { ServerError } from "../errors/server.ts";
import { UsageError } from "../errors/usage.ts";
import { shownText } from "../internal/operation.ts";
import { RPC_INTERNAL_ERROR } from "../protocol/json-rpc.ts";
import { serverError } from "../rpc/errors.ts";
import { LauncherUnavailable } from "./launch-plan.ts";
import type { LaunchReport } from "./launcher/report.ts";

/** What the server says of these errors when it starts a program without a terminal. */
const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: "No such file or directory (os error 2)",
  ENOEXEC: "Exec format error (os error 8)",
  EACCES: "Permission denied (os error 13)",
  ENOTDIR: "Not a directory (os error 20)",
  ENAMETOOLONG: "Filename too long (os error 36)",
};

/** The commands that only shells have. */
const BUILTINS = /^(cd|source|\.|export|unset|alias|eval|exec|set|ulimit|umask|if|for|while|type)$/;

/** What could not be started, and where. */
export interface Attempt {
  readonly argv: readonly string[];
  /** A native path. */
  readonly cwd: string;
  readonly sessionId: string;
}

/** Which part of an attempt is at fault, if that is known. */
export type Subject = "cwd" | "program" | undefined;

/**
 * The error of the launcher, in the form of an error of the server.
 *
 * @param isOptional Whether the program can be started without the launcher: then what that can't do is no error.
 */
export function unlaunched(
  report: Exclude<LaunchReport, { type: "started" }>,
  attempt: Attempt,
  isOptional: boolean,
): Error {
  const error = launchFailure(report, attempt);
  return isOptional && report.type !== "refused" ? new LauncherUnavailable(error.message) : error;
}

function launchFailure(report: Exclude<LaunchReport, { type: "started" }>, attempt: Attempt): Error {
  const details = { sessionId: attempt.sessionId, delivery: "answered" } as const;
  switch (report.type) {
    case "refused": {
      const message = SYSTEM_ERRORS[report.error] ?? report.error;
      const error = serverError({ code: RPC_INTERNAL_ERROR, message }, "process/start", attempt.sessionId);
      return startFailure(error, attempt, report.subject);
    }
    case "lost": {
      const variable = shownText(report.variable);
      const problem = `The server's shell can't pass on the variable ${variable}`;
      return new UsageError("ERR_UNSUPPORTED", problem, details);
    }
    case "size":
      return new UsageError("ERR_UNSUPPORTED", "A terminal size requires stty: pass tty: true", details);
    case "unfed":
      return new UsageError(
        "ERR_UNSUPPORTED",
        "The end of the input requires a fifo, which can't be made there",
        details,
      );
    case "none": {
      const problem = "The server's shell ended before the program started";
      return new UsageError("ERR_UNSUPPORTED", `${problem}: ${shownText(report.output)}`, details);
    }
  }
}

/** The error of what requires the server's shell, where there is none. */
export function noShell(sessionId: string | undefined): UsageError {
  const details = { sessionId, delivery: "answered" } as const;
  return new UsageError("ERR_UNSUPPORTED", "This requires /bin/sh on the server", details);
}

/** The server's error of a failed start, naming what is at fault and what can be done. */
export function startFailure(error: ServerError, { argv, cwd }: Attempt, subject: Subject): ServerError {
  const { kind, rpcCode, data, sessionId, delivery } = error;
  const explained = (message: string, missing?: "cwd" | "program"): ServerError =>
    new ServerError(message, { kind, rpcCode, data, sessionId, delivery, missing });
  const directory = `the working directory '${shownText(cwd)}'`;
  if (subject === "cwd" && kind === "not-found") return explained(`${directory} does not exist`, "cwd");
  if (subject === "cwd" && kind === "not-a-directory") return explained(`${directory} is not a directory`);
  if (subject === "program" && kind === "not-found") {
    return explained(`program not found${hintFor(argv[0] ?? "")}`, "program");
  }
  if (/exec format error/i.test(error.message)) {
    return explained(
      `the system can't execute it: a script needs a first line such as #!/bin/sh. ${error.message}`,
    );
  }
  return error;
}

function hintFor(program: string): string {
  if (/\s/.test(program)) {
    return '. argv[0] contains a space: pass the program and its arguments as separate elements, such as ["ls", "-la"]';
  }
  if (program === "cd") return ". cd is a builtin of shells: use the option cwd";
  if (BUILTINS.test(program)) {
    return `. ${program} is a builtin of shells: run a shell, such as ["sh", "-c", "…"]`;
  }
  if (/^\w+=/.test(program)) return ". Pass variables in the option env";
  if (program.startsWith("~")) return ". Only shells replace ~: use an absolute path";
  return "";
}
