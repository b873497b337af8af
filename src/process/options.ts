import { invalid, received } from "../internal/arguments.ts";
import { DEFAULT_MAX_BUFFERED_BYTES, type OverflowPolicy } from "../internal/byte-queue.ts";
import { randomId } from "../internal/bytes.ts";
import type { Operation } from "../internal/operation.ts";
import { toPathUri } from "../protocol/path-uri.ts";
import type { EnvPolicy, ProcessStartParams } from "../protocol/process.ts";
import { type SandboxContext, wireSandbox } from "../protocol/sandbox.ts";
import type { TerminalSize } from "./tty.ts";

/** Options of `start`. An invalid one is a UsageError: `ERR_INVALID_ARGUMENT`, unless the option states another code. */
export interface StartOptions {
  /**
   * Working directory: an absolute native path of the server's machine, or a `file:` URL.
   * @default the server's own working directory
   */
  readonly cwd?: string | URL | undefined;
  /** Variables added to the environment that `envPolicy` selects; undefined values are skipped. @default {} */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /**
   * Which variables of the server the process inherits. With null, `env` is the exact environment.
   * @default all variables except those that look like secrets
   */
  readonly envPolicy?: EnvPolicy | null | undefined;
  /**
   * `"pipe"` allows `write()`, which otherwise rejects with `ERR_STDIN_CLOSED`. The protocol can't send the end of the
   * input.
   * @default "ignore"
   */
  readonly stdin?: "ignore" | "pipe" | undefined;
  /**
   * Runs the program in a terminal, which also accepts input. `true` means 24 rows and 80 columns. Another size requires
   * a POSIX server; otherwise it is `ERR_UNSUPPORTED`. @default false
   */
  readonly tty?: boolean | TerminalSize | undefined;
  /** The name that the program sees as its own. `ERR_UNSUPPORTED` together with `tty`. @default argv[0] */
  readonly arg0?: string | undefined;
  /** The sandbox to run in. @default none */
  readonly sandbox?: SandboxContext | undefined;
  /** Id of the process, unique in the session. @default random */
  readonly processId?: string | undefined;
  /**
   * Aborts the start: it rejects with the signal's reason. If the request was already sent, the process is terminated as
   * soon as the server has started it. @default none
   */
  readonly signal?: AbortSignal | undefined;
  /** Limit of unread output in bytes. It applies to stdout and stderr each if they are read separately. @default 64 MiB */
  readonly maxBufferedBytes?: number | undefined;
  /**
   * What happens beyond `maxBufferedBytes`: the reader gets the kept output and then an OverflowError, or the oldest
   * output is dropped. @default "fail"
   */
  readonly overflow?: OverflowPolicy | undefined;
}

/** What an error of a start or a run names. */
export function processOperation(
  operation: "start" | "run",
  argv: readonly string[],
  options: StartOptions | undefined,
): Operation {
  const [program] = Array.isArray(argv) ? argv : [];
  const cwd = options?.cwd;
  return {
    operation,
    program: typeof program === "string" ? program.replace(/ .*$/s, "") : undefined,
    cwd: cwd === undefined ? undefined : String(cwd),
  };
}

/** The params of `process/start`. Throws a UsageError for options that the server would reject. */
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
    return invalid(`maxBufferedBytes must be a non-negative number, got ${received(budget)}`);
  return { budget, policy };
}

function checkArgv(argv: readonly string[]): readonly string[] {
  if (!Array.isArray(argv) || argv.length === 0)
    return invalid(`argv must be a non-empty array of strings, got ${received(argv)}`);
  const wrong = argv.findIndex((arg) => typeof arg !== "string");
  if (wrong >= 0) return invalid(`argv[${wrong}] must be a string, got ${received(argv[wrong])}`);
  return argv;
}

function checkDefaultCwd(defaultCwd: string | undefined): string {
  const expected = "given, because this server does not report its working directory";
  return defaultCwd ?? invalid(`cwd must be ${expected}, got undefined`);
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
    // Only the type: the value can be a secret.
    if (typeof value !== "string")
      return invalid(`env.${name} must be a string, got a value of type ${typeof value}`);
    entries.push([name, value]);
  }
  // Unlike an assignment, this keeps a variable named __proto__.
  return Object.fromEntries(entries);
}
