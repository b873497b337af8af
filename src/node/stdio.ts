import { type ChildProcess, spawn } from "node:child_process";
import { ConnectError } from "../errors/connection.ts";
import { invalid, received } from "../internal/arguments.ts";
import { shownText } from "../internal/operation.ts";
import {
  aFunction,
  aString,
  checkOptions,
  either,
  oneOf,
  type Rules,
  stringList,
  stringRecord,
} from "../internal/option-rules.ts";
import type { Transport } from "../transport/transport.ts";
import { ChildConnection, codeOf } from "./child-connection.ts";
import type { StderrOption } from "./stderr.ts";

/** How to start the child. It runs without a shell. */
export interface StdioOptions {
  /** The program, for example `codex`, looked up on the PATH. One that can't be started is a ConnectError. */
  readonly command: string;
  /** Its arguments, for example `["exec-server", "--listen", "stdio"]`. @default [] */
  readonly args?: readonly string[] | undefined;
  /** Working directory. @default that of this process */
  readonly cwd?: string | undefined;
  /** Overrides variables of this process's environment; `undefined` removes one. @default {} */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** The server's log: dropped, shown, or passed to a callback line by line (cut at 8 KiB). @default "ignore" */
  readonly stderr?: StderrOption | undefined;
}

const RULES: Rules<StdioOptions> = {
  command: aString,
  args: stringList,
  cwd: aString,
  env: stringRecord,
  stderr: either(oneOf("ignore", "inherit"), aFunction),
};

const CHILD = "the child's group and pipes belong to the transport";
const ABORT = "abort the call that connects, or close the client";
const HINTS = {
  argv: "use command for the program and args for its arguments",
  argv0: "use command",
  detached: CHILD,
  encoding: "messages are UTF-8",
  input: "its input carries the protocol",
  killSignal: "close() sends SIGTERM, then SIGKILL",
  shell: 'it runs no shell; use command: "sh" and args: ["-c", "…"]',
  signal: ABORT,
  stdin: "its input carries the protocol",
  stdio: "use stderr for its log",
  stdout: "its output carries the protocol; use stderr for its log",
  timeout: "use connectTimeoutMs of the client",
  windowsHide: CHILD,
};

/**
 * Starts an exec-server as a child process and connects to its standard input and output. One-shot: once the child has
 * ended, the client stays disconnected. Create a new client to start another child.
 *
 * Closing ends the child's input, then sends SIGTERM, then SIGKILL, the signals to its whole process group.
 *
 * While nothing is pending on it, the connection does not keep this process alive. The child ends with this process.
 *
 * @throws UsageError `ERR_INVALID_ARGUMENT` at once without a command, and for an invalid option.
 * @example
 * import { LazyExecServerClient } from "exec-server-sdk";
 * import { stdio } from "exec-server-sdk/node";
 *
 * const args = ["exec-server", "--listen", "stdio"];
 * await using local = new LazyExecServerClient({ transport: stdio({ command: "codex", args }) });
 * console.log((await local.run(["uname"])).stdout);
 */
export function stdio(options: StdioOptions): Transport {
  checkOptions("stdio()", options ?? {}, RULES, HINTS);
  if (!options?.command) {
    invalid(`stdio(): command must be a non-empty string, got ${received(options?.command)}`);
  }
  return {
    reconnectable: false,
    async connect({ signal }) {
      signal.throwIfAborted();
      const child = spawnServer(options);
      const connection = new ChildConnection(child, options.stderr, isAskedForStdio(options.args));
      await spawned(child, options.command);
      if (signal.aborted) void connection.close();
      signal.throwIfAborted();
      return connection;
    },
  };
}

function spawnServer({ command, args = [], cwd, env, stderr }: StdioOptions): ChildProcess {
  try {
    return spawn(command, args, {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, ...env },
      // A separate process group: signals reach the server's own children, and Ctrl-C in this terminal reaches none.
      detached: process.platform !== "win32",
      windowsHide: true,
      stdio: ["pipe", "pipe", typeof stderr === "function" ? "pipe" : (stderr ?? "ignore")],
    });
  } catch (error) {
    // Node throws for values that no system accepts, such as a NUL character. Its message quotes the argument.
    invalid(
      `stdio(): command, args, cwd and env must be strings without NUL characters, got values that the system refused (${codeOf(error)})`,
    );
  }
}

function isAskedForStdio(args: readonly string[] = []): boolean {
  return args.some((word) => word.includes("stdio"));
}

function spawned(child: ChildProcess, command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (error) => {
      const spaceHint = command.includes(" ") ? ": its arguments belong into args" : "";
      const hint =
        codeOf(error) === "ENOENT" ? ` (no such command, or no such working directory${spaceHint})` : "";
      reject(
        new ConnectError(
          `Could not start the exec-server ${shownText(command.replace(/\s.*$/s, ""))}: ${codeOf(error)}${hint}`,
          {
            phase: "dial",
            delivery: "not-sent",
            cause: { name: error.name, code: codeOf(error), message: `spawn ${codeOf(error)}` },
          },
        ),
      );
    });
  });
}
