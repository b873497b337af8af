import { type BridgeEnd, bridge, webSocket } from "exec-server-sdk";
import type { Address, Call } from "./scenario.ts";

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): string };
}

/** Passes a worker's URL through a named policy, as `require-trusted-types-for 'script'` requires. */
function trusted(url: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  return (
    trustedTypes?.createPolicy("e2e-worker", { createScriptURL: (own) => own }).createScriptURL(url) ?? url
  );
}

interface Answer {
  readonly id: number;
  readonly wants?: "bridge";
  readonly result?: unknown;
  readonly error?: string;
}

/** A worker or frame that runs the scenario. */
interface Guest {
  post(message: unknown): void;
  /** Removes the guest. A worker is terminated without notice to its ports. */
  remove(): void;
}

type Listener = (event: MessageEvent<Answer>) => void;

export async function openWorker(listener: Listener): Promise<Guest> {
  const worker = new Worker(trusted("/worker.js"), { type: "module" });
  worker.addEventListener("message", listener);
  return { post: (message) => worker.postMessage(message), remove: () => worker.terminate() };
}

export async function openFrame(listener: Listener): Promise<Guest> {
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

/** Milliseconds of silence after which a bridge ends. A terminated worker sends no notice. */
const LIVENESS_MS = 4_000;

/** Calls a scenario in a guest, and bridges the ports of a guest that has no WebSocket. */
export class GuestHost {
  readonly #guest: Promise<Guest>;
  readonly #usesPorts: boolean;
  readonly #pending = new Map<number, (answer: Answer) => void>();
  readonly #ends: Promise<BridgeEnd>[] = [];
  #address: Address | undefined;
  #calls = 0;

  constructor(open: (listener: Listener) => Promise<Guest>, usesPorts: boolean) {
    this.#guest = open((event) => this.#onMessage(event));
    this.#usesPorts = usesPorts;
  }

  async perform(call: Call): Promise<unknown> {
    if (call.name === "prepare" && this.#usesPorts) {
      [this.#address] = call.args;
      return await this.#call({ name: "prepare", args: [] });
    }
    return await this.#call(call);
  }

  /** Removes the guest. Resolves with the ends of its bridges. */
  async remove(): Promise<BridgeEnd[]> {
    (await this.#guest).remove();
    return await Promise.all(this.#ends);
  }

  async #call(call: Call): Promise<unknown> {
    const guest = await this.#guest;
    const id = ++this.#calls;
    const { result, error } = await new Promise<Answer>((resolve) => {
      this.#pending.set(id, resolve);
      guest.post({ id, call });
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
