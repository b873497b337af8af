import { type ClientRequest, type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { createProxyServer, type ServerOptions } from "http-proxy-3";
import { type Kind, toBrowser, toDevServer } from "./headers.ts";
import type { Preview } from "./preview.ts";
import { finish } from "./sockets.ts";

export interface ProxyOptions {
  /** The origin that may show previews in a frame. */
  readonly embedder: string;
  /** Names of cookies that dev servers never get. */
  readonly withheldCookies: readonly string[];
}

/** A request that the dev server has not answered yet. */
interface Passage {
  readonly preview: Preview;
  readonly onFailure: (error: unknown) => void;
}

/** What a browser's socket emits if it does not wait for the answer to its handshake. */
const LEAVING = ["data", "end", "close"] as const;

/** Passes admitted requests on to dev servers of the other machine. */
export class DevServerProxy {
  readonly #options: ProxyOptions;
  readonly #proxy = createProxyServer();
  readonly #passages = new WeakMap<IncomingMessage, Passage>();

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#proxy.on("proxyReq", (sent, request, response) => this.#followRequest(sent, request, response));
    this.#proxy.on("proxyRes", (received, request, response) => {
      if (isFinal(received)) return this.#passResponse(received, request, response);
      // The library would throw for such a status. It adds nothing to a response that has ended.
      this.#fail(request, new Error("Expected a status of 200 or more"));
      received.destroy();
    });
    this.#proxy.on("proxyReqWs", (sent, request, socket) => this.#followHandshake(sent, request, socket));
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
    const options = this.#begin("request", request, { preview, onFailure });
    // A part of the dev server's response can come after the response was ended.
    response.on("error", () => {});
    const fail = (error: unknown): void => {
      // With a part of a response, the browser must not take the rest for a whole one.
      if (!this.#fail(request, error) && !response.writableEnded) response.destroy();
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
    const options = this.#begin("upgrade", request, { preview, onFailure });
    // After the answer, the library ends the socket.
    const fail = (error: unknown): void => void this.#fail(request, error);
    guarded(() => this.#proxy.ws(request, socket, head, options, fail), fail);
  }

  #begin(kind: Kind, request: IncomingMessage, passage: Passage): ServerOptions {
    const { preview } = passage;
    this.#passages.set(request, passage);
    toDevServer(request.headers, preview, this.#options.withheldCookies, kind);
    return {
      agent: preview.agent,
      target: { protocol: "http:", host: "localhost", port: preview.port },
      // Passes the path on as it is: the library's reading of it throws for some.
      toProxy: true,
    };
  }

  /** The passage of a request, which has its answer with that. */
  #take(request: IncomingMessage): Passage | undefined {
    const passage = this.#passages.get(request);
    this.#passages.delete(request);
    return passage;
  }

  /** Returns false for a request that has its answer. */
  #fail(request: IncomingMessage, error: unknown): boolean {
    const passage = this.#take(request);
    passage?.onFailure(error);
    return passage !== undefined;
  }

  #adapt(kind: Kind, received: IncomingMessage, request: IncomingMessage): void {
    const passage = this.#take(request);
    if (!passage) return;
    // Of a reason phrase, a parser takes more than a response may have.
    received.statusMessage = "";
    toBrowser(received.headers, passage.preview, this.#options.embedder, kind);
  }

  #passResponse(received: IncomingMessage, request: IncomingMessage, response: ServerResponse): void {
    this.#adapt("request", received, request);
    // The library ends a response only with a complete one of the dev server.
    received.once("close", () => {
      if (!received.complete) response.destroy();
    });
  }

  #followRequest(sent: ClientRequest, request: IncomingMessage, response: ServerResponse): void {
    // Node closes a connection without an error if it was upgraded and no upgrade was asked for.
    sent.once("close", () => this.#fail(request, new Error("The connection was closed")));
    response.once("close", () => {
      if (request.complete) return;
      // Answered before the end of its body, which is no longer sure to come: a browser that goes now is not noticed.
      request.unpipe(sent);
      request.resume();
      sent.destroy();
    });
  }

  /** What the library does not do for a handshake: changes the headers of its answer, and ends it with the browser's socket. */
  #followHandshake(sent: ClientRequest, request: IncomingMessage, socket: Duplex): void {
    const abort = (): void => {
      sent.destroy();
      socket.destroy();
    };
    // Only a socket that is read shows that the browser has gone. Before the answer, it has nothing to send.
    for (const event of LEAVING) socket.once(event, abort);
    sent.once("close", () => this.#fail(request, new Error("The connection was closed")));
    sent.once("upgrade", (received, stream) => {
      for (const event of LEAVING) socket.off(event, abort);
      this.#adapt("upgrade", received, request);
      // The library leaves it paused, and then nothing shows that the browser has closed it.
      stream.once("close", () => process.nextTick(() => socket.resume()));
    });
    sent.once("response", (received) => {
      this.#take(request);
      refuseAs(received);
      // The library writes the head first, as soon as this listener has returned.
      queueMicrotask(() => finish(socket));
    });
  }
}

/** Leaves nothing of a response but its status: the library would hold all of a body, and wait for its end for ever. */
function refuseAs(received: IncomingMessage): void {
  const status = isFinal(received) ? Number(received.statusCode) : 502;
  received.statusCode = status;
  received.statusMessage = STATUS_CODES[status] ?? "";
  received.headers = { connection: "close", "content-length": "0" };
  received.destroy();
}

/** Whether a response can be passed on as one: neither a switch of protocols nor below what HTTP has. */
function isFinal({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200;
}

/** The library throws for what a request can't be made of. */
function guarded(work: () => void, fail: (error: unknown) => void): void {
  try {
    work();
  } catch (error) {
    fail(error);
  }
}
