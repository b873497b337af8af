import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { ClientOptions } from "ws";

export const ORIGIN = "https://ide.example";
export const TOKEN = "token-of-the-bench";

export const WAY_NAMES = ["direct", "gateway", "bare ws proxy", "http-proxy"] as const;
export type WayName = (typeof WAY_NAMES)[number];

/** Processor time since the start in milliseconds, and memory in bytes after a garbage collection. */
export interface Report {
  readonly cpuMs: number;
  readonly rss: number;
  /** On the heap, and external to it. */
  readonly memory: number;
}

/** A way from a page to the exec-server. */
export class Way implements AsyncDisposable {
  readonly name: WayName;
  readonly url: string;
  readonly #child: ChildProcess | undefined;

  private constructor(name: WayName, url: string, child?: ChildProcess) {
    this.name = name;
    this.url = url;
    this.#child = child;
  }

  static async start(name: WayName, upstream: string, nodeArgs: readonly string[] = []): Promise<Way> {
    if (name === "direct") return new Way(name, upstream);
    const child = fork(join(import.meta.dirname, "proxy.ts"), [name, upstream], {
      execArgv: [...process.execArgv, "--expose-gc", ...nodeArgs],
    });
    const [port] = (await once(child, "message")) as [number];
    return new Way(name, `ws://127.0.0.1:${port}/`, child);
  }

  /** What a page offers. Only the gateway answers with a subprotocol. */
  get protocols(): string[] {
    return this.name === "gateway" ? ["exec-server-gateway", TOKEN] : [];
  }

  /** The server itself refuses every origin. */
  get headers(): NonNullable<ClientOptions["headers"]> & Record<string, string> {
    return this.name === "direct" ? {} : { origin: ORIGIN };
  }

  /** Undefined without a process between. */
  async report(): Promise<Report | undefined> {
    if (!this.#child) return undefined;
    this.#child.send("report");
    return ((await once(this.#child, "message")) as [Report])[0];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#child) return;
    const exited = once(this.#child, "exit");
    this.#child.disconnect();
    await exited;
  }
}
