import { redactUrls } from "../errors/error.ts";
import { invalid, received } from "../internal/arguments.ts";
import { DEFAULT_MAX_BUFFERED_BYTES, type OverflowPolicy } from "../internal/byte-queue.ts";
import { randomId } from "../internal/bytes.ts";
import { type Operation, shownText } from "../internal/operation.ts";
import {
  aBoolean,
  anAbortSignal,
  anObject,
  aString,
  byteCount,
  checkOptions,
  either,
  oneOf,
  type Rules,
  stringList,
} from "../internal/option-rules.ts";
import { isUrl } from "../internal/realms.ts";
import { checkText, toPathUri } from "../protocol/path-uri.ts";
import type { EnvPolicy, ProcessStartParams } from "../protocol/process.ts";
import { type SandboxContext, wireSandbox } from "../protocol/sandbox.ts";
import { checkNetwork, type NetworkOptions, networkParams } from "./network.ts";
import { checkSize, type TerminalSize } from "./tty.ts";

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
   * `"pipe"` allows `write()` and `stdin`, which otherwise reject with `ERR_STDIN_CLOSED`. On a POSIX server the input can
   * be ended, and the process can be signalled. @default "ignore"
   */
  readonly stdin?: "ignore" | "pipe" | undefined;
  /**
   * Whether the process is started so that it has a `pid` and can be signalled with `kill()`. It is where it costs
   * nothing more: in a terminal, and with `stdin: "pipe"`. With true, what prevents it is `ERR_UNSUPPORTED`: a server
   * that is not POSIX, `arg0`, or a sandbox that restricts anything, where process ids are other ones.
   * @default true in a terminal and with `stdin: "pipe"`, otherwise false
   */
  readonly signals?: boolean | undefined;
  /**
   * Runs the program in a terminal, which also accepts input. `true` means 24 rows and 80 columns. Another size requires
   * a POSIX server; otherwise it is `ERR_UNSUPPORTED`.
   *
   * The environment is that of a start without a terminal; only TERM is `xterm-256color` if it is missing and
   * `envPolicy` is not null. A variable that the machine's shell can't keep is `ERR_UNSUPPORTED`. @default false
   */
  readonly tty?: boolean | TerminalSize | undefined;
  /** The name that the program sees as its own. `ERR_UNSUPPORTED` together with `tty`. @default argv[0] */
  readonly arg0?: string | undefined;
  /** The sandbox to run in. @default none */
  readonly sandbox?: SandboxContext | undefined;
  /**
   * Runs the process behind the server's proxy, where `onNetworkPolicyRequest` decides what it may reach. `{}` is all
   * defaults. `ERR_UNSUPPORTED` by servers before 0.150. @default none: the network of the sandbox
   */
  readonly network?: NetworkOptions | undefined;
  /** Id of the process, unique in the session. @default random */
  readonly processId?: string | undefined;
  /**
   * Limits the life of the process. If it aborts before the start, the start rejects with the signal's reason; a process
   * that was requested already is terminated as soon as the server has started it. After the start it terminates the
   * process; `exited` then reports how the process ended.
   *
   * So `AbortSignal.timeout(ms)` is not only a deadline of the start: it ends a process that runs longer. @default none
   */
  readonly signal?: AbortSignal | undefined;
  /** Limit of unread output in bytes. It applies to stdout and stderr each if they are read separately. @default 64 MiB */
  readonly maxBufferedBytes?: number | undefined;
  /**
   * What happens beyond `maxBufferedBytes`: the reader gets the kept output and then an OverflowError, or the oldest
   * output is dropped. `"pause"` stops the process and its group (SIGSTOP) while 8 MiB or a quarter of the limit are
   * unread, and continues it when most of that has been read: stdout and stderr must both be read. It requires what `signals` requires, can't be combined with
   * `tty`, and fails beyond the limit if the process can't be stopped in time.
   * @default "drop-oldest" for `start` with a terminal, otherwise "fail"
   */
  readonly overflow?: OverflowPolicy | "pause" | undefined;
}

export const START_RULES: Rules<StartOptions> = {
  cwd: (value) => (typeof value === "string" || isUrl(value) ? undefined : "a string or a URL"),
  env: anObject,
  envPolicy: either(oneOf(null), anObject),
  stdin: oneOf("ignore", "pipe"),
  tty: either(aBoolean, anObject),
  arg0: aString,
  sandbox: either(oneOf(null), anObject),
  network: anObject,
  processId: aString,
  signal: anAbortSignal,
  maxBufferedBytes: byteCount,
  overflow: oneOf("fail", "drop-oldest", "pause"),
  signals: aBoolean,
};

const ENV_POLICY_RULES: Rules<EnvPolicy> = {
  inherit: oneOf("all", "core", "none"),
  ignoreDefaultExcludes: aBoolean,
  exclude: stringList,
  set: anObject,
  includeOnly: stringList,
};

/** Options of Node's child_process, of execa and of node-pty, and what to do instead. */
export const START_HINTS: Readonly<Record<string, string>> = {
  ...hints("run() has it", ["timeoutMs", "encoding", "reject"]),
  ...hints("the output is in the process, or in the result of run()", ["stdout", "stderr", "all"]),
  ...hints("the server has nothing like it", [
    "detached",
    "gid",
    "killSignal",
    "serialization",
    "uid",
    "windowsHide",
    "windowsVerbatimArguments",
  ]),
  ...hints("use tty: { rows, cols }", ["rows", "cols"]),
  timeout: "use timeoutMs of run(), or signal",
  input: 'use stdin: "pipe" and write(), or run()',
  shell: 'run a shell, such as ["sh", "-c", "ls | wc -l"]',
  stdio: 'use stdin: "pipe" or "ignore"',
  maxBuffer: "use maxBufferedBytes",
  cancelSignal: "use signal",
  argv0: "use arg0",
};

function hints(hint: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, hint]));
}

/** Checks what can be checked before there is a connection. Throws a UsageError. */
export function checkStart<Options extends StartOptions>(
  caller: string,
  argv: readonly string[],
  options: Options | undefined,
  rules: Rules<Options>,
  hints: Readonly<Record<string, string>>,
): void {
  checkArgv(argv);
  checkOptions(caller, options, rules, hints);
  const { arg0 = "", cwd, env = {}, envPolicy, tty } = options ?? {};
  checkText(arg0, "arg0");
  if (cwd !== undefined) toPathUri(cwd, "cwd");
  environment("env", env);
  if (envPolicy) {
    checkOptions(`${caller}: envPolicy`, envPolicy, ENV_POLICY_RULES);
    environment("envPolicy.set", envPolicy.set ?? {});
  }
  if (typeof tty === "object") checkSize(tty, "tty.");
  checkNetwork(caller, options ?? {});
}

/** argv[0] up to its first white space. `A=1` is a variable that was meant for the option env: its value can be a secret. */
function shownProgram(program: string): string {
  return shownText(program.replace(/\s.*$/s, "").replace(/^(\w+)=.*$/s, "$1=…"));
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
    program: (typeof program === "string" && shownProgram(program)) || undefined,
    cwd: typeof cwd === "string" || isUrl(cwd) ? redactUrls(String(cwd)) : undefined,
  };
}

/** The params of `process/start`, for checked options. */
export function startParams(
  argv: readonly string[],
  options: StartOptions,
  defaultCwd: string | undefined,
): ProcessStartParams {
  return {
    processId: options.processId ?? randomId(),
    argv,
    cwd: options.cwd === undefined ? checkDefaultCwd(defaultCwd) : toPathUri(options.cwd, "cwd"),
    envPolicy: envPolicy(options.envPolicy),
    env: environment("env", options.env ?? {}),
    tty: Boolean(options.tty),
    pipeStdin: options.stdin === "pipe",
    arg0: options.arg0 ?? null,
    sandbox: wireSandbox(options.sandbox),
    ...networkParams(options),
  };
}

export function outputLimits(options: StartOptions): { budget: number; policy: OverflowPolicy } {
  const { maxBufferedBytes: budget = DEFAULT_MAX_BUFFERED_BYTES, tty } = options;
  // The last lines of a terminal are worth more than the first ones.
  const { overflow = tty ? "drop-oldest" : "fail" } = options;
  return { budget, policy: overflow === "pause" ? "fail" : overflow };
}

function checkArgv(argv: readonly string[]): void {
  if (!Array.isArray(argv) || argv.length === 0) {
    const expected = 'a non-empty array with the program and its arguments, such as ["ls", "-la"]';
    invalid(`argv must be ${expected}, got ${received(argv)}`);
  }
  const wrong = argv.findIndex((arg) => typeof arg !== "string");
  if (wrong >= 0) invalid(`argv[${wrong}] must be a string, got ${received(argv[wrong])}`);
  for (const [at, arg] of argv.entries()) checkText(arg, `argv[${at}]`);
  if (argv[0] === "") invalid("argv[0] must be a program, got an empty string");
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
    set: environment("envPolicy.set", policy?.set ?? {}),
    includeOnly: policy?.includeOnly ?? [],
  };
}

function environment(
  option: string,
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  // A Map has no entries of its own: every variable would be lost.
  if (Symbol.iterator in env) return invalid(`${option} must be a plain object, got ${received(env)}`);
  const entries: [string, string][] = [];
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) continue;
    // With a "=" in it, the program would see another name: up to the first one.
    if (/^$|=/.test(name))
      return invalid(
        `${option} must have names that are not empty and without "=", got '${shownText(name.replace(/=.*/s, "=…"))}'`,
      );
    // Only the type: the value can be a secret.
    if (typeof value !== "string")
      return invalid(`${option}.${shownText(name)} must be a string, got a value of type ${typeof value}`);
    checkText(name, `the name ${option}.${shownText(name)}`);
    checkText(value, `${option}.${shownText(name)}`);
    entries.push([name, value]);
  }
  // Unlike an assignment, this keeps a variable named __proto__.
  return Object.fromEntries(entries);
}
