import { once } from "node:events";
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from "node:http";
import { connect, type Socket } from "node:net";
import type { Readable } from "node:stream";
import { WebSocket } from "ws";
import type { IdeServer } from "../../examples/web-ide/server/ide-server.ts";
import { test as ideTest } from "./ide.ts";

/** A response whose body is still to be read. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
}

export interface Visit {
  readonly method?: string;
  /** Beside `Host` and the cookie of the preview; undefined removes one. */
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer | Readable;
}

/** An opened preview, as the IDE's page and a browser use it, without a browser. */
export class TestPreview {
  readonly id: string;
  readonly origin: string;
  /** The URL that admits once. */
  readonly url: string;
  /** The pair that admits. Empty before `enter`. */
  cookie = "";

  constructor({ id, origin, url }: { id: string; origin: string; url: string }) {
    this.id = id;
    this.origin = origin;
    this.url = url;
  }

  get host(): string {
    return new URL(this.origin).host;
  }

  get #port(): number {
    return Number(new URL(this.origin).port);
  }

  /** Follows the URL with the ticket. Returns the whole header with the cookie. */
  async enter(): Promise<string> {
    const { status, headers, body } = await this.get(this.url.slice(this.origin.length));
    body.resume();
    const [cookie = ""] = headers["set-cookie"] ?? [];
    if (status !== 303) throw new Error(`expected the ticket to be taken, got ${status}`);
    this.cookie = cookie.split(";")[0] ?? "";
    return cookie;
  }

  async get(path: string, { method = "GET", headers = {}, body }: Visit = {}): Promise<Answer> {
    const all: OutgoingHttpHeaders = { host: this.host, cookie: this.cookie || undefined, ...headers };
    const sent = request({
      agent: false,
      host: "127.0.0.1",
      port: this.#port,
      method,
      path,
      headers: given(all),
    });
    if (typeof body === "object" && "pipe" in body) body.pipe(sent);
    else sent.end(body);
    const [response] = await once(sent, "response");
    return { status: response.statusCode, headers: response.headers, body: response };
  }

  /** The status and the text of a response. */
  async read(path: string, visit?: Visit): Promise<[status: number, text: string]> {
    const { status, body } = await this.get(path, visit);
    return [status, Buffer.concat(await body.toArray()).toString()];
  }

  /** The status of a response to a request that is written byte for byte. */
  async raw(text: string): Promise<number> {
    const socket = this.socket();
    socket.write(text, "latin1");
    const [head] = await once(socket, "data");
    socket.destroy();
    return Number(String(head).split(" ")[1]);
  }

  /** A connection to the IDE's server. */
  socket(): Socket {
    return connect(this.#port, "127.0.0.1").on("error", () => {});
  }

  /** Resolves with a WebSocket, or with the status of the refused handshake. */
  async webSocket(
    headers: OutgoingHttpHeaders = {},
    path = "/",
    protocols: string | string[] = [],
  ): Promise<WebSocket | number> {
    const all = { host: this.host, origin: this.origin, cookie: this.cookie, ...headers };
    const socket = new WebSocket(`ws://127.0.0.1:${this.#port}${path}`, protocols, { headers: given(all) });
    return await new Promise((resolve, reject) => {
      socket.once("open", () => resolve(socket));
      socket.once("error", reject);
      socket.once("unexpected-response", (sent, response) => {
        resolve(response.statusCode ?? 0);
        sent.destroy();
      });
    });
  }
}

function given(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
}

/** Opens a port and enters its preview. */
export async function openPreview(ide: IdeServer, port: number): Promise<TestPreview> {
  const preview = new TestPreview(await (await api(ide, "POST", "", { port })).json());
  await preview.enter();
  return preview;
}

/** Asks the IDE's API as its page does. */
export async function api(ide: IdeServer, method: string, path: string, body?: unknown): Promise<Response> {
  const headers = { "sec-fetch-site": "same-origin" };
  return await fetch(`${ide.url}/api/previews${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

export const test = ideTest.extend<{ open: (port: number) => Promise<TestPreview> }>({
  /** Opens a port and enters its preview. */
  open: async ({ ide }, use) => {
    await use((port) => openPreview(ide, port));
  },
});
