import { fileURLToPath } from "node:url";
import { type MessagePort, Worker } from "node:worker_threads";
import { buildSync } from "esbuild";
import { type Bridge, bridge, type PortOptions, type Transport } from "../../src/index.ts";
import type { Actions } from "../fixtures/renderer.ts";
import { AsyncQueue } from "./async-queue.ts";

type Action<K extends keyof Actions> = Actions[K] extends (...args: infer A) => infer R
  ? [A, Awaited<R>]
  : never;

interface Pending {
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** A thread that plays a sandboxed renderer, and the main process's part of it: one bridge for each port it asks for. */
export class Renderer implements AsyncDisposable {
  readonly bridges: Bridge[] = [];
  readonly #arrivals = new AsyncQueue<Bridge>();
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #calls = 0;

  constructor(transport: () => Transport, options: PortOptions & { onePortOnly?: boolean } = {}) {
    this.#worker = new Worker(rendererProgram(), {
      eval: true,
      workerData: { onePortOnly: options.onePortOnly ?? false },
    });
    this.#worker.on(
      "message",
      (message: { id: number; result: unknown; error?: unknown } | { port: MessagePort }) => {
        if ("port" in message) {
          const made = bridge(message.port, transport(), options);
          this.bridges.push(made);
          this.#arrivals.push(made);
          return;
        }
        const pending = this.#pending.get(message.id);
        if (message.error === undefined) pending?.resolve(message.result);
        else pending?.reject(message.error);
      },
    );
  }

  /** The next bridge that nobody has asked for yet. */
  nextBridge(): Promise<Bridge> {
    return this.#arrivals.next();
  }

  do<K extends keyof Actions>(name: K, ...args: Action<K>[0]): Promise<Action<K>[1]> {
    const id = ++this.#calls;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve as Pending["resolve"], reject });
      this.#worker.postMessage({ id, name, args });
    });
  }

  /** Is gone without a goodbye. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.terminate();
    for (const { ended } of this.bridges) await ended;
  }
}

/** What runs in the thread: bundled, because not every thread on every Node reads TypeScript. */
export function rendererProgram(): string {
  const { outputFiles } = buildSync({
    entryPoints: [fileURLToPath(new URL("../fixtures/renderer.ts", import.meta.url))],
    bundle: true,
    platform: "node",
    format: "cjs",
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}
