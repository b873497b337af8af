import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import type { Page } from "@playwright/test";
import { type Bridge, bridge, type Transport } from "exec-server-sdk";
import { ELECTRON_APP } from "../support/build-pages.ts";

/** Replaces Electron around the built preload script in the page. Ports have numbers; their other sides are in the test. */
const ELECTRON_IN_PAGE = `
  const ports = [];
  globalThis.deliver = (id, message) => ports[id].postMessage(message);
  const require = () => ({
    contextBridge: { exposeInMainWorld: (name, api) => { globalThis[name] = api; } },
    ipcRenderer: {
      send: (channel) => toMain({ channel }),
      postMessage(channel, _, [port]) {
        const id = ports.push(port) - 1;
        port.onmessage = ({ data }) => toMain({ id, data });
        toMain({ channel, id });
      },
    },
  });
  globalThis.violations = [];
  addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
    violations.push(violatedDirective + " " + blockedURI);
  });
`;

interface ToMain {
  readonly channel?: "exec-server-port" | "kill-server";
  readonly id?: number;
  readonly data?: unknown;
}

/** The built renderer and preload script in a page of Chromium, loaded from a file as in Electron. */
export class Window {
  readonly bridges: Bridge[] = [];
  readonly problems: string[] = [];
  readonly requests: string[] = [];
  readonly #page: Page;
  readonly #transport: () => Transport;
  readonly #ports: MessagePort[] = [];

  private constructor(page: Page, transport: () => Transport) {
    this.#page = page;
    this.#transport = transport;
    page.on("console", (message) => this.problems.push(message.text()));
    page.on("pageerror", (error) => this.problems.push(String(error)));
    page.on("request", (request) => this.requests.push(request.url()));
    page.on("websocket", (socket) => this.requests.push(socket.url()));
  }

  static async open(page: Page, transport: () => Transport): Promise<Window> {
    const window = new Window(page, transport);
    await page.exposeFunction("toMain", (message: ToMain) => window.#onMessage(message));
    const preload = readFileSync(join(ELECTRON_APP, "preload.cjs"), "utf8");
    await page.addInitScript({ content: `{ ${ELECTRON_IN_PAGE} ${preload}\n }` });
    await page.goto(pathToFileURL(join(ELECTRON_APP, "index.html")).href);
    return window;
  }

  violations(): Promise<string[]> {
    return this.#page.evaluate(() => (globalThis as unknown as { violations: string[] }).violations);
  }

  async close(): Promise<void> {
    for (const made of this.bridges) await made.close();
  }

  #onMessage({ channel, id = 0, data }: ToMain): void {
    if (channel === "kill-server") void this.close();
    else if (channel === "exec-server-port") this.#bridge(id);
    else this.#ports[id]?.postMessage(data);
  }

  /** Bridges a port, as the main process does. */
  #bridge(id: number): void {
    const { port1, port2 } = new MessageChannel();
    this.#ports[id] = port1;
    port1.on("message", (message) => {
      // Rejects if the page has been closed.
      this.#page
        .evaluate(
          ([to, what]) =>
            (globalThis as unknown as { deliver(id: number, message: unknown): void }).deliver(to, what),
          [id, message] as const,
        )
        .catch(() => {});
    });
    this.bridges.push(bridge(port2, this.#transport()));
  }
}
