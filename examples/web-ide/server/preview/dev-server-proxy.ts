import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { createProxyServer, type ServerOptions } from "http-proxy-3";
import { toBrowser, toDevServer } from "./headers.ts";
import type { Preview } from "./preview.ts";

export interface ProxyOptions {
  /** The origin that may show previews in a frame. */
  readonly embedder: string;
  /** Names of cookies that dev servers never get. */
  readonly withheldCookies: readonly string[];
}

/** What a browser's socket emits if it does not wait for the answer to its handshake. */
const LEAVING = ["data", "end", "close"] as const;

/** Passes admitted requests on to dev servers of the other machine. */
export class DevServerProxy {
  readonly #options: ProxyOptions;
  readonly #proxy = createProxyServer();
  /** The preview of each request that is under way. */
  readonly #previews = new WeakMap<IncomingMessage, Preview>();

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#proxy.on("proxyRes", (received, request, response) => {
      this.#adapt(received, request);
      // The library ends a response only with a complete one of the dev server.
      received.once("close", () => {
        if (!received.complete) response.destroy();
      });
    });
    this.#proxy.on("proxyReqWs", (sent, request, socket) => this.#follow(sent, request, socket));
    // Each call has a callback of its own. This is for what fails beside it, such as a socket that was reset.
    this.#proxy.on("error", () => {});
  }

  /** @param onFailure Called if there is no response to pass on. */
  pass(
    request: IncomingMessage,
    response: ServerResponse,
    preview: Preview,
    onFailure: (error: unknown) => void,
  ): void {
    const options = this.#begin(request, preview);
    const fail = (error: unknown): void => {
      if (response.headersSent) response.destroy();
      else onFailure(error);
    };
    guarded(() => this.#proxy.web(request, response, options, fail), fail);
  }

  /** @param onFailure Called if the handshake gets no answer. */
  passUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    preview: Preview,
    onFailure: () => void,
  ): void {
    const options = this.#begin(request, preview);
    const fail = (): void => {
      // After the handshake, the library ends the socket.
      if (this.#previews.has(request)) onFailure();
    };
    guarded(() => this.#proxy.ws(request, socket, head, options, fail), fail);
  }

  #begin(request: IncomingMessage, preview: Preview): ServerOptions {
    this.#previews.set(request, preview);
    toDevServer(request.headers, preview, this.#options.withheldCookies);
    return {
      agent: preview.agent,
      target: { protocol: "http:", host: "localhost", port: preview.port },
      // Passes the path on as it is: the library's reading of it throws for some.
      toProxy: true,
    };
  }

  #adapt(received: IncomingMessage, request: IncomingMessage): void {
    const preview = this.#previews.get(request);
    if (!preview) return;
    this.#previews.delete(request);
    // Of a reason phrase, a parser takes more than a response may have.
    received.statusMessage = "";
    toBrowser(received.headers, preview, this.#options.embedder);
  }

  /** What the library does not do for a handshake: changes the headers of its answer, and ends it with the browser's socket. */
  #follow(sent: ClientRequest, request: IncomingMessage, socket: Duplex): void {
    const abort = (): void => void sent.destroy();
    // Only a socket that is read shows that the browser has gone. Before the answer, it has nothing to send.
    for (const event of LEAVING) socket.once(event, abort);
    sent.once("upgrade", (received) => {
      for (const event of LEAVING) socket.off(event, abort);
      this.#adapt(received, request);
    });
    sent.once("response", (received) => this.#adapt(received, request));
  }
}

/** The library throws for what a request can't be made of. */
function guarded(work: () => void, fail: (error: unknown) => void): void {
  try {
    work();
  } catch (error) {
    fail(error);
  }
}
