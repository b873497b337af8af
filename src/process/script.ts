import { ServerError } from "../errors/server.ts";
import { isAbortReason } from "../internal/abort.ts";
import { DEFAULT_MAX_BUFFERED_BYTES } from "../internal/byte-queue.ts";
import type { Bytes } from "../internal/bytes.ts";
import { unobserved } from "../internal/deferred.ts";
import type { ServerFeatures } from "../protocol/features.ts";
import type { SandboxContext } from "../protocol/sandbox.ts";
import { HELPER_PATH } from "./launcher/script.ts";
import type { StartOptions } from "./options.ts";
import type { ExecProcess } from "./process.ts";
import { run } from "./run.ts";
import { noShell } from "./start-failure.ts";

/** How a script runs. */
export interface ScriptOptions {
  /** Variables. Unlike arguments, other users of the machine can't read them. @default none */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Written to standard input, which never ends: the script has to know its length. @default none */
  readonly input?: Uint8Array | undefined;
  readonly sandbox?: SandboxContext | null | undefined;
  /**
   * For `start`: the launcher starts the script, so that its input can be ended, and it is stopped while its output is not
   * read. @default false
   */
  readonly isLaunched?: boolean | undefined;
  /** Terminates the script. */
  readonly signal?: AbortSignal | undefined;
}

/** What a script has printed, and its exit code. */
export interface ScriptResult {
  readonly exitCode: number;
  readonly stdout: Bytes;
  readonly stderr: Bytes;
}

type Start = (argv: readonly string[], options?: StartOptions) => Promise<ExecProcess>;

/** Runs scripts in the server's POSIX shell. */
export class ScriptRunner {
  readonly #start: Start;
  readonly #server: ServerFeatures;

  constructor(start: Start, server: ServerFeatures) {
    this.#start = start;
    this.#server = server;
  }

  /**
   * Runs a script to its end, in a small environment and in the C locale. Helpers are found as the launcher finds them.
   *
   * @throws UsageError `ERR_UNSUPPORTED` without a POSIX shell on the server.
   */
  async run(script: string, args: readonly string[], options: ScriptOptions = {}): Promise<ScriptResult> {
    const { input } = options;
    const start: Start = async (...command) => {
      const process = await this.#start(...command);
      // A script that ends early reports why.
      if (input) void unobserved(process.write(input));
      return process;
    };
    const stdin = input && ("pipe" as const);
    const settings = { ...scriptSettings(options), stdin, encoding: "bytes", reject: false } as const;
    const result = await this.#supported(options.signal, run(start, this.#command(script, args), settings));
    return result as ScriptResult;
  }

  /** Starts a script, for its output as a stream. Its standard input is open. */
  async start(script: string, args: readonly string[], options: ScriptOptions = {}): Promise<ExecProcess> {
    const { isLaunched } = options;
    // What arrives before it has stopped must not exceed the limit.
    const launched = isLaunched
      ? ({ signals: true, overflow: "pause", maxBufferedBytes: 4 * DEFAULT_MAX_BUFFERED_BYTES } as const)
      : {};
    const settings = { ...scriptSettings(options), stdin: "pipe", ...launched } as const;
    const started = this.#start(this.#command(script, args), settings);
    return await this.#supported(options.signal, started);
  }

  #command(script: string, args: readonly string[]): string[] {
    this.#server.need("scripts", "This");
    return ["/bin/sh", "-c", `${HELPER_PATH}\n${script}`, "sh", ...args];
  }

  async #supported<T>(signal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      const isMissing = error instanceof ServerError && error.missing === "program";
      if (!isMissing || isAbortReason(error, signal)) throw error;
      throw noShell(error.sessionId);
    }
  }
}

function scriptSettings({ env, sandbox, signal }: ScriptOptions) {
  return {
    cwd: "/",
    envPolicy: { inherit: "core" as const },
    env: { ...env, LC_ALL: "C" },
    sandbox: sandbox ?? undefined,
    // The scripts do without the launcher.
    signals: false,
    signal,
  } satisfies StartOptions;
}
