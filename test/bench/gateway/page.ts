import { once } from "node:events";
import WebSocket from "ws";
import type { Way } from "./ways.ts";

/** A page that costs this process as little as possible: it makes one call at a time and parses nothing. */
class Page {
  readonly #socket: WebSocket;
  #lastId = 0;
  #onAnswer: () => void = () => {};

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", () => this.#onAnswer());
  }

  static async open(way: Way): Promise<Page> {
    const { url, protocols, headers } = way;
    const socket = new WebSocket(url, protocols, { headers, perMessageDeflate: false });
    await once(socket, "open");
    const page = new Page(socket);
    await page.call("initialize", { clientName: "bench", resumeSessionId: null });
    socket.send(`{"method":"initialized","params":{}}`);
    return page;
  }

  /** Resolves with the milliseconds until the answer. */
  async call(method = "environment/status", params: object | null = null): Promise<number> {
    const start = performance.now();
    const answer = new Promise<void>((resolve) => {
      this.#onAnswer = resolve;
    });
    this.#socket.send(JSON.stringify({ id: ++this.#lastId, method, params }));
    await answer;
    return performance.now() - start;
  }

  async close(): Promise<void> {
    const closed = once(this.#socket, "close");
    this.#socket.close();
    await closed;
  }
}

/** Opens pages, some at a time. */
export async function openPages(way: Way, count: number, atOnce = 50): Promise<Page[]> {
  const pages: Page[] = [];
  const openOne = async (): Promise<void> => {
    while (pages.length < count) {
      const at = pages.length++;
      pages[at] = await Page.open(way);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, openOne));
  return pages;
}

export async function closePages(pages: readonly Page[]): Promise<void> {
  await Promise.all(pages.map((page) => page.close()));
}
