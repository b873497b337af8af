import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { CHROMIUM_ARGS, provideChromium } from "./browser.ts";

interface Answer {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

interface TargetEvent {
  readonly method?: string;
  readonly params?: { readonly sessionId: string; readonly targetInfo?: { readonly type: string } };
}

/** Bytes of a page of memory, as `/proc` counts it on Linux. */
const MEMORY_PAGE = 4096;
const MiB = 1024 * 1024;

const HEADLESS = ["--headless", "--no-startup-window", "--remote-debugging-pipe"];

/**
 * A Chromium with one page, driven by the bare DevTools protocol. Drivers such as Playwright enable its Network domain,
 * which reports every WebSocket frame and cuts the speed to a third.
 */
export class BareBrowser implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #profile: string;
  readonly #input: Writable;
  readonly #calls = new Map<number, (answer: Answer) => void>();
  #lastId = 0;
  /** The sessions of the pages of the tab: the visited one, and one that is prerendered. */
  readonly #pages: string[] = [];
  #onChange: (() => void)[] = [];
  #renderers: readonly number[] = [];

  private constructor(child: ChildProcess, profile: string) {
    this.#child = child;
    this.#profile = profile;
    const [, , , input, output] = child.stdio;
    this.#input = input as Writable;
    let text = "";
    (output as Readable).setEncoding("utf8").on("data", (piece: string) => {
      const messages = (text + piece).split("\0");
      text = messages.pop() ?? "";
      for (const message of messages) this.#receive(JSON.parse(message));
    });
    child.once("exit", () => {
      const error = { message: "the browser has ended" };
      for (const settle of this.#calls.values()) settle({ error });
    });
  }

  /** Opens a page in a new browser. It may not have loaded when this resolves. */
  static async open(url: string): Promise<BareBrowser> {
    const profile = mkdtempSync(join(tmpdir(), "exec-server-browser-"));
    const args = [...CHROMIUM_ARGS, ...HEADLESS, `--user-data-dir=${profile}`];
    // The browser ends with its pipe, and so with this process.
    const stdio = ["ignore", "ignore", "ignore", "pipe", "pipe"] as const;
    const child = spawn(provideChromium(), args, { stdio: [...stdio] });
    const browser = new BareBrowser(child, profile);
    await browser.#attach();
    await browser.#call(browser.#pages[0], "Performance.enable", { timeDomain: "threadTicks" });
    await browser.#call(browser.#pages[0], "Page.navigate", { url });
    return browser;
  }

  /** Resolves when the tab has this many pages. */
  async pages(count: number): Promise<void> {
    while (this.#pages.length !== count) await new Promise<void>((resolve) => this.#onChange.push(resolve));
  }

  /** The result of an expression in the visited page, or in the one that is prerendered; a promise is awaited. */
  async evaluate(expression: string, page: "visited" | "prerendered" = "visited"): Promise<unknown> {
    const { result, exceptionDetails } = await this.#call<{
      result: { value?: unknown };
      exceptionDetails?: { text: string; exception?: { description?: string } };
    }>(this.#pages[page === "visited" ? 0 : 1], "Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) {
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    }
    return result.value;
  }

  /** Resolves when the expression is true in the page, which may be another one by then. */
  async until(expression: string, page?: "visited" | "prerendered"): Promise<void> {
    while ((await this.evaluate(expression, page)) !== true);
  }

  /** The processor time that the page's main thread has taken for its tasks, in milliseconds. */
  async mainThreadMs(): Promise<number> {
    const { metrics } = await this.#call<{ metrics: readonly { name: string; value: number }[] }>(
      this.#pages[0],
      "Performance.getMetrics",
    );
    return 1000 * (metrics.find(({ name }) => name === "TaskDuration")?.value ?? Number.NaN);
  }

  /** Collects the page's garbage, and finds the processes whose memory is measured. */
  async settle(): Promise<void> {
    await this.#call(this.#pages[0], "HeapProfiler.collectGarbage");
    const { processInfo } = await this.#call<{ processInfo: readonly { type: string; id: number }[] }>(
      undefined,
      "SystemInfo.getProcessInfo",
    );
    this.#renderers = processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id);
  }

  /** The resident memory of the page's processes in MiB; NaN on a system without `/proc`. */
  memory(): number {
    let pages = 0;
    for (const id of this.#renderers) {
      try {
        pages += Number(readFileSync(`/proc/${id}/statm`, "utf8").split(" ")[1]);
      } catch {
        return Number.NaN;
      }
    }
    return (pages * MEMORY_PAGE) / MiB;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = this.#child.exitCode === null ? once(this.#child, "exit") : undefined;
    if (exited) await this.#call(undefined, "Browser.close");
    await exited;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Attaches to the tab and through it to its pages: attached to a page alone, Chromium prerenders nothing. */
  async #attach(): Promise<void> {
    const tab = { url: "about:blank", forTab: true };
    const { targetId } = await this.#call<{ targetId: string }>(undefined, "Target.createTarget", tab);
    const { sessionId } = await this.#call<{ sessionId: string }>(undefined, "Target.attachToTarget", {
      targetId,
      flatten: true,
    });
    const options = { autoAttach: true, waitForDebuggerOnStart: false, flatten: true };
    await this.#call(sessionId, "Target.setAutoAttach", options);
    await this.pages(1);
  }

  #receive(message: Answer & TargetEvent): void {
    if (message.id === undefined) this.#onEvent(message);
    else {
      this.#calls.get(message.id)?.(message);
      this.#calls.delete(message.id);
    }
  }

  #onEvent({ method, params }: TargetEvent): void {
    if (!params) return;
    const { sessionId, targetInfo } = params;
    if (method === "Target.attachedToTarget" && targetInfo?.type === "page") this.#pages.push(sessionId);
    else if (method === "Target.detachedFromTarget" && this.#pages.includes(sessionId)) {
      this.#pages.splice(this.#pages.indexOf(sessionId), 1);
    }
    for (const resolve of this.#onChange.splice(0)) resolve();
  }

  /** @param sessionId Of a tab or page; undefined for the browser itself. */
  #call<Result>(sessionId: string | undefined, method: string, params: object = {}): Promise<Result> {
    const id = ++this.#lastId;
    this.#input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((resolve, reject) => {
      this.#calls.set(id, ({ result, error }) => {
        if (error) reject(new Error(`${method}: ${error.message}`));
        else resolve(result as Result);
      });
    });
  }
}
