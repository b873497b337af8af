import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { AsyncQueue } from "./async-queue.ts";

const PROGRAM = fileURLToPath(new URL("../../src/gateway/cli.ts", import.meta.url));

/** The gateway command, run from source in its own process. */
export class GatewayCommand implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #lines = new AsyncQueue<string>();
  readonly exited: Promise<number | null>;
  /** Everything written to standard output so far. */
  stdout = "";
  /** Everything written to standard error so far. */
  stderr = "";

  constructor(...args: readonly string[]) {
    const child = spawn(process.execPath, ["--import", "tsx", PROGRAM, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    createInterface(child.stdout).on("line", (line) => this.#lines.push(line));
    // Not `exit`: output may still be buffered then.
    this.exited = new Promise((resolve) => child.once("close", (code) => resolve(code)));
  }

  /** The next line of standard output. */
  line(): Promise<string> {
    return this.#lines.next();
  }

  /** The URL of the gateway, from its first line of output. */
  async url(): Promise<string> {
    const line = await this.line();
    if (!line.startsWith("Listening on ")) throw new Error(`${line}\n${this.stderr}`);
    return line.slice("Listening on ".length);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Resident memory of the process, in bytes. */
  rss(): number {
    const [, kilobytes] =
      /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.#child.pid}/status`, "utf8")) ?? [];
    return Number(kilobytes) * 1024;
  }

  /** Bytes read since the start of the process, from sockets too. */
  bytesRead(): number {
    return Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${this.#child.pid}/io`, "utf8"))?.[1]);
  }

  /** The peak of the resident memory until the process has read nothing for half a second. */
  async peakUntilIdle(): Promise<number> {
    let peak = 0;
    let before = -1;
    for (let idle = 0; idle < 10; ) {
      const now = this.bytesRead();
      idle = now === before ? idle + 1 : 0;
      before = now;
      peak = Math.max(peak, this.rss());
      await sleep(50);
    }
    return peak;
  }

  /** Closes the reading ends of both outputs, like a log program that has crashed. */
  closeOutputs(): void {
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.exited;
  }
}
