import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { AsyncQueue } from "./async-queue.ts";

const PROGRAM = fileURLToPath(new URL("../../src/gateway/cli.ts", import.meta.url));

/** The command as a process of its own, run from its source. */
export class GatewayCommand implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #lines = new AsyncQueue<string>();
  readonly exited: Promise<number | null>;
  /** All it said so far. */
  stdout = "";
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
    // Not on exit: by then not all of its words need have arrived.
    this.exited = new Promise((resolve) => child.once("close", (code) => resolve(code)));
  }

  /** The next line of its output. */
  line(): Promise<string> {
    return this.#lines.next();
  }

  /** Its address, which is the first thing it says. */
  async url(): Promise<string> {
    const line = await this.line();
    if (!line.startsWith("Listening on ")) throw new Error(`${line}\n${this.stderr}`);
    return line.slice("Listening on ".length);
  }

  /** The memory it takes, in bytes. */
  rss(): number {
    const [, kilobytes] =
      /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.#child.pid}/status`, "utf8")) ?? [];
    return Number(kilobytes) * 1024;
  }

  /** Everything it has read since its start, from sockets as well. */
  bytesRead(): number {
    return Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${this.#child.pid}/io`, "utf8"))?.[1]);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.exited;
  }
}
