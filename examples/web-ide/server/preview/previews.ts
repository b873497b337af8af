import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { LazyExecServerClient, type Transport } from "exec-server-sdk";
import { cookieRefusalOf, pathOf, type Refusal, refusalOf, upgradeRefusalOf } from "./admission.ts";
import { admittingCookie } from "./cookies.ts";
import { DevServerProxy, type ProxyOptions } from "./dev-server-proxy.ts";
import { CLOSED, noticeOfFailure, noticeOfRefusal } from "./notices.ts";
import { answerWith, type Notice } from "./pages.ts";
import { type Preview, TICKET_PATH } from "./preview.ts";
import { Registry } from "./registry.ts";
import { refuse } from "./sockets.ts";

/** WebSockets of all previews. Each is a process of the other machine. */
const MAX_WEB_SOCKETS = 64;
/** WebSockets of one preview, so that its page leaves some to the others. */
const MAX_WEB_SOCKETS_EACH = 32;

export interface PreviewsOptions extends ProxyOptions {
  /** The exec-server. Its connection is made by the first request, and again after a loss. */
  readonly transport: Transport;
  /** The host and port below which each preview has a name, such as `localhost:8000`. */
  readonly authority: string;
  /** Ports that are never opened. */
  readonly reservedPorts: () => readonly number[];
}

/** Serves opened ports of the exec-server's machine, each on a host of its own. */
export class Previews {
  readonly registry: Registry;
  readonly #client: LazyExecServerClient;
  readonly #proxy: DevServerProxy;
  readonly #embedder: string;
  readonly #webSockets = new Map<Duplex, Preview>();

  constructor(options: PreviewsOptions) {
    const { transport, authority, reservedPorts } = options;
    this.#client = new LazyExecServerClient({ transport });
    this.registry = new Registry(this.#client, authority, reservedPorts);
    this.#proxy = new DevServerProxy(options);
    this.#embedder = options.embedder;
  }

  /** Whether a request is for a preview, open or not. */
  owns({ headers }: IncomingMessage): boolean {
    return /\.localhost(?::\d+)?$/i.test(headers.host ?? "");
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const show = (notice: Notice): void => answerWith(notice, request, response, this.#embedder);
    const preview = this.#previewOf(request);
    const refusal = preview && (refusalOf(request, preview) ?? admit(request, response, preview));
    if (!preview) show(CLOSED);
    else if (refusal) show(noticeOfRefusal(refusal));
    else if (!response.headersSent) {
      this.#proxy.pass(request, response, preview, (error) => show(noticeOfFailure(error, preview.port)));
    }
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Node removes its own error listener from a socket before the `upgrade` event.
    socket.on("error", () => {});
    const preview = this.#previewOf(request);
    const refusal = preview && upgradeRefusalOf(request, preview);
    if (!preview) refuse(socket, 404);
    else if (refusal) refuse(socket, refusal.status);
    else if (!this.#hasPlaceFor(preview)) refuse(socket, 503);
    else {
      this.#webSockets.set(socket, preview);
      socket.once("close", () => this.#webSockets.delete(socket));
      this.#proxy.passUpgrade(request, socket, head, preview, () => refuse(socket, 502));
    }
  }

  /** Ends every preview and its connections. */
  async close(): Promise<void> {
    for (const socket of this.#webSockets.keys()) socket.destroy();
    // Within the session: an end of it would leave processes to a timeout of the exec-server.
    await this.registry.closeAll();
    await this.#client.close();
  }

  #hasPlaceFor(preview: Preview): boolean {
    const each = [...this.#webSockets.values()].filter((other) => other === preview).length;
    return this.#webSockets.size < MAX_WEB_SOCKETS && each < MAX_WEB_SOCKETS_EACH;
  }

  #previewOf({ headers, headersDistinct }: IncomingMessage): Preview | undefined {
    return headersDistinct["host"]?.length === 1 ? this.registry.named(headers.host ?? "") : undefined;
  }
}

/** Lets a browser in that has the cookie, or a ticket, for which it gets the cookie in a response. */
function admit(request: IncomingMessage, response: ServerResponse, preview: Preview): Refusal | undefined {
  const { method, url = "" } = request;
  const path = pathOf(url);
  const refusal = cookieRefusalOf(request, preview);
  if (path !== TICKET_PATH) return refusal;
  const ticket = new URLSearchParams(url.slice(path.length)).get("ticket") ?? "";
  const isValid = method === "GET" && preview.tickets.redeem(ticket);
  if (!isValid && refusal) return refusal;
  response.writeHead(303, {
    "cache-control": "no-store",
    location: "/",
    "referrer-policy": "no-referrer",
    ...(isValid ? { "set-cookie": admittingCookie(preview.secret) } : {}),
  });
  response.end();
  return undefined;
}
