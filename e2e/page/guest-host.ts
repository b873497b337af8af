import { type BridgeEnd, bridge, webSocket } from "exec-server-sdk";
import type { Address, Call } from "./scenario.ts";

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): string };
}

/** Under `require-trusted-types-for 'script'` a worker's URL has to pass a named policy. */
function trusted(url: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  return (
    trustedTypes?.createPolicy("e2e-worker", { createScriptURL: (same) => same }).createScriptURL(url) ?? url
  );
}

interface Answer {
  readonly id: number;
  readonly wants?: "bridge";
  readonly result?: unknown;
  readonly error?: string;
}

/** Where a guest of the page lives. */
interface Home {
  post(message: unknown): void;
  /** Without a goodbye, if that can be. */
  remove(): void;
}

type Listener = (event: MessageEvent<Answer>) => void;

export async function openWorker(listener: Listener): Promise<Home> {
  const worker = new Worker(trusted("/worker.js"), { type: "module" });
  worker.addEventListener("message", listener);
  return { post: (message) => worker.postMessage(message), remove: () => worker.terminate() };
}

export async function openFrame(listener: Listener): Promise<Home> {
  const frame = document.createElement("iframe");
  frame.src = "/frame.html";
  addEventListener("message", (event) => {
    if (event.source === frame.contentWindow) listener(event);
  });
  const loaded = new Promise((resolve) => frame.addEventListener("load", resolve, { once: true }));
  document.body.append(frame);
  await loaded;
  return {
    post: (message) => frame.contentWindow?.postMessage(message, "/"),
    remove: () => frame.remove(),
  };
}

/** Silence is all that tells of a worker that was terminated. */
const LIVENESS_MS = 4_000;

/** A scenario beside the page, and the bridges that it is given if it has no WebSocket of its own. */
export class GuestHost {
  readonly #home: Promise<Home>;
  readonly #usesPorts: boolean;
  readonly #pending = new Map<number, (answer: Answer) => void>();
  readonly #ends: Promise<BridgeEnd>[] = [];
  #address: Address | undefined;
  #calls = 0;

  constructor(open: (listener: Listener) => Promise<Home>, usesPorts: boolean) {
    this.#home = open((event) => this.#onMessage(event));
    this.#usesPorts = usesPorts;
  }

  async perform(call: Call): Promise<unknown> {
    if (call.name === "prepare" && this.#usesPorts) {
      [this.#address] = call.args;
      return await this.#order({ name: "prepare", args: [] });
    }
    return await this.#order(call);
  }

  /** Takes it away, and tells how the bridges end. */
  async remove(): Promise<BridgeEnd[]> {
    (await this.#home).remove();
    return await Promise.all(this.#ends);
  }

  async #order(call: Call): Promise<unknown> {
    const home = await this.#home;
    const id = ++this.#calls;
    const { result, error } = await new Promise<Answer>((resolve) => {
      this.#pending.set(id, resolve);
      home.post({ id, call });
    });
    if (error !== undefined) throw new Error(error);
    return result;
  }

  #onMessage({ data, ports: [port] }: MessageEvent<Answer>): void {
    if (data.wants === "bridge" && port && this.#address) {
      const { url, protocols } = this.#address;
      this.#ends.push(bridge(port, webSocket(url, { protocols }), { livenessMs: LIVENESS_MS }).ended);
    } else this.#pending.get(data.id)?.(data);
  }
}
