import type { Call } from "./scenario.ts";

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

/** The scenario in a dedicated worker. */
export class WorkerScenario {
  readonly #worker = new Worker(trusted("/worker.js"), { type: "module" });
  #calls = 0;

  perform(call: Call): Promise<unknown> {
    const id = ++this.#calls;
    return new Promise((resolve, reject) => {
      const onMessage = ({ data }: MessageEvent<{ id: number; result?: unknown; error?: string }>): void => {
        if (data.id !== id) return;
        this.#worker.removeEventListener("message", onMessage);
        if (data.error === undefined) resolve(data.result);
        else reject(new Error(data.error));
      };
      this.#worker.addEventListener("message", onMessage);
      this.#worker.postMessage({ id, call });
    });
  }
}
