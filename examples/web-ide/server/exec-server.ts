import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { DemoExecServer } from "./server-actions.ts";

const CODEX = createRequire(import.meta.url).resolve("@openai/codex/bin/codex.js");

/** A codex exec-server of this machine, which can be killed and started again at the same address. */
export class LocalExecServer implements DemoExecServer, AsyncDisposable {
  readonly #home = mkdtempSync(join(tmpdir(), "web-ide-codex-"));
  #child: ChildProcess | undefined;
  #url = "ws://127.0.0.1:0";
  readonly #end = (): void => this.#signal("SIGKILL");

  private constructor() {
    // Also if this program ends by an error.
    process.once("exit", this.#end);
  }

  static async start(): Promise<LocalExecServer> {
    const server = new LocalExecServer();
    await server.restart();
    return server;
  }

  get url(): string {
    return this.#url;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (!child) return;
    // Its output ends with the server itself, which can be later than the script.
    const closed = once(child, "close");
    this.#signal(signal);
    await closed;
  }

  async restart(): Promise<void> {
    await this.kill("SIGKILL");
    const args = [CODEX, "exec-server", "--listen", this.#url, "--concurrent-requests", "8"];
    const child = spawn(process.execPath, args, {
      detached: true,
      env: { ...process.env, CODEX_HOME: this.#home },
      stdio: ["ignore", "pipe", "ignore"],
    });
    this.#child = child;
    child.once("close", () => {
      if (this.#child === child) this.#child = undefined;
    });
    const failed = once(child, "exit").then(([code]) => {
      throw new Error(`codex exec-server has exited with code ${code} before it listened`);
    });
    // Its first line is its address, with the port that the system has chosen.
    const line = once(createInterface(child.stdout as NodeJS.ReadableStream), "line") as Promise<[string]>;
    [this.#url] = await Promise.race([line, failed]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill("SIGKILL");
    process.off("exit", this.#end);
    rmSync(this.#home, { recursive: true, force: true });
  }

  /** The script of the package and the server that it has started are a process group of their own. */
  #signal(signal: NodeJS.Signals): void {
    if (this.#child?.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, signal);
    } catch {
      // It has ended, and its output has not yet.
    }
  }
}
