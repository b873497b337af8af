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

/** A worker thread in the role of a sandboxed renderer. This side is the main process: it bridges each port of the thread. */
export class Renderer implements AsyncDisposable {
  readonly bridges: Bridge[] = [];
  readonly #unclaimed = new AsyncQueue<Bridge>();
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #calls = 0;

  constructor(
    transport: () => Transport,
    { onePortOnly = false, ...options }: PortOptions & { onePortOnly?: boolean } = {},
  ) {
    this.#worker = new Worker(rendererProgram(), {
      eval: true,
      workerData: { onePortOnly },
    });
    this.#worker.on(
      "message",
      (message: { id: number; result: unknown; error?: unknown } | { port: MessagePort }) => {
        if ("port" in message) {
          const running = bridge(message.port, transport(), options);
          this.bridges.push(running);
          this.#unclaimed.push(running);
          return;
        }
        const pending = this.#pending.get(message.id);
        if (message.error === undefined) pending?.resolve(message.result);
        else pending?.reject(message.error);
      },
    );
  }

  /** The next bridge that was not returned before. */
  nextBridge(): Promise<Bridge> {
    return this.#unclaimed.next();
  }

  call<K extends keyof Actions>(name: K, ...args: Action<K>[0]): Promise<Action<K>[1]> {
    const id = ++this.#calls;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve as Pending["resolve"], reject });
      this.#worker.postMessage({ id, name, args });
    });
  }

  /** Ends the thread without closing its ports. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.terminate();
    for (const { ended } of this.bridges) await ended;
  }
}

/** The program of the thread. Bundled, because worker threads of older Node versions can't run TypeScript. */
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
