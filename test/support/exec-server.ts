import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";

/**
 * Path of the native binary in the npm package of the server. Killing the wrapper script would not end the binary.
 *
 * @param from A file of the project that has the package installed.
 */
export function codexBinary(from: string = import.meta.filename): string {
  const require = createRequire(from);
  const wrapper = createRequire(require.resolve("@openai/codex/package.json"));
  const platform = dirname(wrapper.resolve(`@openai/codex-${process.platform}-${process.arch}/package.json`));
  const vendor = join(platform, "vendor");
  for (const triple of readdirSync(vendor)) {
    const binary = join(vendor, triple, "bin", process.platform === "win32" ? "codex.exe" : "codex");
    if (existsSync(binary)) return binary;
  }
  throw new Error("the codex package for this platform contains no binary");
}

/** The version of the installed server. */
export const CODEX_VERSION: string = createRequire(import.meta.filename)(
  "@openai/codex/package.json",
).version;

const homes = new Set<string>();
process.once("exit", () => {
  for (const home of homes) rmSync(home, { recursive: true, force: true });
});

/** Creates an empty home directory, which the server requires. It is removed when this process exits. */
export function makeCodexHome(): string {
  const home = mkdtempSync(join(tmpdir(), "exec-server-"));
  homes.add(home);
  return home;
}

export interface ExecServerOptions {
  /** 0 for a port that the system chooses. @default 0 */
  readonly port?: number;
  /** Further arguments, for example `--concurrent-requests 8`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** @default that of the installed server */
  readonly binary?: string;
  /** An existing directory. Sandboxes can only start from one outside the temporary directory. @default a temporary one */
  readonly home?: string;
}

/** One real exec-server on its own port, which can be killed and restarted on the same port. */
export class ExecServer implements AsyncDisposable {
  readonly #options: ExecServerOptions;
  readonly #home: string;
  #child: ChildProcess | undefined;
  #url = "";

  private constructor(options: ExecServerOptions, home: string) {
    this.#options = options;
    this.#home = home;
  }

  static async start(options: ExecServerOptions = {}): Promise<ExecServer> {
    const server = new ExecServer(options, options.home ?? makeCodexHome());
    await server.#spawn(options.port ?? 0);
    return server;
  }

  /** Does not change after a restart. */
  get url(): string {
    return this.#url;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves when the process has exited. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await exited;
  }

  /** Kills the server and starts it again on the same port. */
  async restart(): Promise<void> {
    await this.kill();
    await this.#spawn(Number(new URL(this.#url).port));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#home, { recursive: true, force: true });
  }

  async #spawn(port: number): Promise<void> {
    const { args = [], env = {}, binary = codexBinary() } = this.#options;
    const child = spawn(binary, ["exec-server", "--listen", `ws://127.0.0.1:${port}`, ...args], {
      env: { ...process.env, ...env, CODEX_HOME: this.#home },
      stdio: ["ignore", "pipe", "ignore"],
    });
    this.#child = child;
    this.#url = await firstLine(child);
  }
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) =>
      reject(new Error(`the exec-server exited with code ${code} before it was ready`)),
    );
    if (child.stdout) createInterface(child.stdout).once("line", resolve);
  });
}
