import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LaunchSetup, launch } from "../../src/process/launcher/launch.ts";
import { REPORT_MARK } from "../../src/process/launcher/script.ts";
import type { ProcessStartParams } from "../../src/protocol/process.ts";
import { realClient } from "./real-client.ts";

/** Every shell that can be /bin/sh and is installed here. */
export const SHELLS = ["/bin/dash", "/bin/bash", "/bin/busybox", "/bin/mksh", "/bin/zsh"].filter((path) =>
  existsSync(path),
);

export const POLICY = {
  inherit: "all",
  ignoreDefaultExcludes: false,
  exclude: [],
  set: {},
  includeOnly: [],
} as const;

export interface LaunchOptions {
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  /** Changes the script. */
  readonly edit?: (script: string) => string;
  /** Whether `env` is the whole environment. @default true */
  readonly exact?: boolean;
  /** What is written to the input, as it is. */
  readonly input?: readonly (string | Uint8Array)[];
}

/** Starts programs on a real server, through the launcher in a shell of the test's choice. */
export class ShellLauncher implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "launcher-"));
  readonly real: Awaited<ReturnType<typeof realClient>>;
  readonly #sh = join(this.folder, "sh");

  private constructor(real: Awaited<ReturnType<typeof realClient>>, shell: string) {
    this.real = real;
    symlinkSync(shell, this.#sh);
  }

  static async start(shell: string): Promise<ShellLauncher> {
    return new ShellLauncher(await realClient(), shell);
  }

  /** A directory with the tools of busybox under their own names. */
  busyboxTools(): string {
    const tools = join(this.folder, "tools");
    mkdirSync(tools);
    execFileSync("busybox", ["--install", "-s", tools]);
    return tools;
  }

  /** Runs a program to its end. Returns the report, and the output behind it. */
  async run(setup: LaunchSetup, argv: readonly string[], options: LaunchOptions = {}) {
    const processId = await this.start(setup, argv, options);
    const chunksOf = { stdout: [] as Buffer[], stderr: [] as Buffer[], pty: [] as Buffer[] };
    for (let afterSeq = 0; ; ) {
      const read = { processId, afterSeq, waitMs: 1_000 };
      const { chunks, closed, exitCode } = await this.real.client.call("process/read", read);
      for (const { seq, chunk, stream } of chunks) {
        chunksOf[stream as "pty"].push(Buffer.from(chunk, "base64"));
        afterSeq = seq;
      }
      if (!closed) continue;
      const output = Buffer.concat([...chunksOf.pty, ...chunksOf.stdout]).toString();
      const errors = Buffer.concat(chunksOf.stderr).toString();
      const [, report, text = ""] = new RegExp(`${REPORT_MARK}(.*?)\r?\n(.*)`, "s").exec(output) ?? [];
      const [, stderr = errors] = new RegExp(`${REPORT_MARK}\n(.*)`, "s").exec(errors) ?? [];
      return { report, text: text.replaceAll("\r\n", "\n"), stderr, exitCode, output };
    }
  }

  /** Starts a program and writes its input. Returns the id of the process. */
  async start(
    setup: LaunchSetup,
    argv: readonly string[],
    { env = {}, cwd, edit, exact = true, input = [] }: LaunchOptions = {},
  ): Promise<string> {
    const params: ProcessStartParams = {
      processId: crypto.randomUUID(),
      argv,
      cwd: `file://${cwd ?? this.folder}`,
      envPolicy: exact ? null : POLICY,
      env: { PATH: "/usr/bin:/bin", ...env },
      tty: setup.type === "terminal",
      pipeStdin: setup.type === "pipes" && setup.input !== "",
      arg0: null,
      sandbox: null,
    };
    const [, option = "", script = "", ...rest] = launch(params, setup);
    const command = [this.#sh, option, edit?.(script) ?? script, ...rest];
    const { processId } = params;
    await this.real.client.call("process/start", { ...params, argv: command });
    for (const piece of input) {
      const chunk = Buffer.from(piece as string).toString("base64");
      await this.real.client.call("process/write", { processId, chunk, writeId: crypto.randomUUID() });
    }
    return processId;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.real[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true });
  }
}
