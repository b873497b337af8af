import { UsageError } from "../errors.ts";
import { DEFAULT_MAX_BUFFERED_BYTES, type OverflowPolicy } from "../internal/byte-queue.ts";
import { randomId } from "../internal/bytes.ts";
import { toPathUri } from "../protocol/path-uri.ts";
import type { EnvPolicy, ProcessStartParams } from "../protocol/process.ts";
import { type SandboxContext, wireSandbox } from "../protocol/sandbox.ts";
import type { TerminalSize } from "./tty.ts";

/** How a process is started. What can't work is a UsageError, `ERR_INVALID_ARGUMENT` unless it says otherwise. */
export interface StartOptions {
  /**
   * Working directory: an absolute native path of the server's machine, or a `file:` URL.
   * @default the server's own working directory
   */
  readonly cwd?: string | URL | undefined;
  /** Variables laid over the environment that `envPolicy` makes; undefined values are skipped. @default {} */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /**
   * How the server's own environment is passed on; null makes `env` the exact environment.
   * @default everything but variables that look like secrets
   */
  readonly envPolicy?: EnvPolicy | null | undefined;
  /**
   * `"pipe"` allows `write()`, which else throws `ERR_STDIN_CLOSED`. The protocol can't send the end of the input.
   * @default "ignore"
   */
  readonly stdin?: "ignore" | "pipe" | undefined;
  /**
   * Runs the program in a terminal, which also takes input. `true` means 24 rows and 80 columns; another size needs a
   * POSIX server, and is `ERR_UNSUPPORTED` elsewhere. @default false
   */
  readonly tty?: boolean | TerminalSize | undefined;
  /** What the program sees as its own name. In a terminal `ERR_UNSUPPORTED`. @default argv[0] */
  readonly arg0?: string | undefined;
  /** The sandbox to run in. @default none */
  readonly sandbox?: SandboxContext | undefined;
  /** An id of your own, not that of another process of the session. @default random */
  readonly processId?: string | undefined;
  /**
   * Ends the wait for the start with the signal's reason. If it aborts after the request was sent, the process is
   * terminated once it is there. @default none
   */
  readonly signal?: AbortSignal | undefined;
  /** Unread output kept for the reader, in bytes; stdout and stderr, read apart, have it each. @default 64 MiB */
  readonly maxBufferedBytes?: number | undefined;
  /** What happens past that: the reader gets what is kept and then an OverflowError, or the oldest is dropped. @default "fail" */
  readonly overflow?: OverflowPolicy | undefined;
}

/** The params of a start; throws a UsageError for what the server would only reject. */
export function startParams(
  argv: readonly string[],
  options: StartOptions,
  defaultCwd: string | undefined,
): ProcessStartParams {
  return {
    processId: options.processId ?? randomId(),
    argv: checkArgv(argv),
    cwd: options.cwd === undefined ? checkDefaultCwd(defaultCwd) : toPathUri(options.cwd, "cwd"),
    envPolicy: envPolicy(options.envPolicy),
    env: environment(options.env ?? {}),
    tty: Boolean(options.tty),
    pipeStdin: options.stdin === "pipe",
    arg0: options.arg0 ?? null,
    sandbox: wireSandbox(options.sandbox),
  };
}

export function outputLimits(options: StartOptions): { budget: number; policy: OverflowPolicy } {
  const { maxBufferedBytes: budget = DEFAULT_MAX_BUFFERED_BYTES, overflow: policy = "fail" } = options;
  if (typeof budget !== "number" || !(budget >= 0))
    return invalid("maxBufferedBytes must be a number of bytes");
  return { budget, policy };
}

function checkArgv(argv: readonly string[]): readonly string[] {
  if (!Array.isArray(argv) || argv.length === 0 || argv.some((arg) => typeof arg !== "string")) {
    return invalid("argv must be a non-empty array of strings: the program and its arguments");
  }
  return argv;
}

function checkDefaultCwd(defaultCwd: string | undefined): string {
  return defaultCwd ?? invalid("this server does not tell its working directory: pass cwd");
}

function envPolicy(policy: EnvPolicy | null | undefined): Required<EnvPolicy> | null {
  if (policy === null) return null;
  return {
    inherit: policy?.inherit ?? "all",
    ignoreDefaultExcludes: policy?.ignoreDefaultExcludes ?? false,
    exclude: policy?.exclude ?? [],
    set: policy?.set ?? {},
    includeOnly: policy?.includeOnly ?? [],
  };
}

function environment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const entries: [string, string][] = [];
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) continue;
    // Not the value: it may be a secret.
    if (typeof value !== "string") return invalid(`the variable ${name} of env is not a string`);
    entries.push([name, value]);
  }
  // Unlike an assignment, this keeps a variable called __proto__.
  return Object.fromEntries(entries);
}

function invalid(message: string): never {
  throw new UsageError("ERR_INVALID_ARGUMENT", message);
}
