import { createServer, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { WebSocketServer } from "ws";
import { asyncDispose } from "../../internal/dispose.ts";
import { aBoolean, checkOptions, type Rules } from "../../internal/option-rules.ts";
import type { DialRefusal, TestDial, TestServerDoor } from "../channel.ts";
import { checkAcceptor } from "../rules.ts";
import { Loopback } from "./loopback.ts";
import { WebSocketChannel } from "./websocket-channel.ts";

/** A test server that listens for WebSocket connections. */
export interface ListeningTestServer extends AsyncDisposable {
  /** For `webSocket()`: `ws://127.0.0.1:PORT`. */
  readonly url: string;
  /** Ends every connection immediately and frees the port. */
  close(): Promise<void>;
}

/** Options of {@link listen}. */
export interface ListenOptions {
  /**
   * Accepts dials with an `Origin` header, which every browser page sends. A real exec-server responds with 403, so a page
   * needs a gateway in production.
   * @default false
   */
  readonly allowOrigin?: boolean | undefined;
}

const RULES: Rules<ListenOptions> = { allowOrigin: aBoolean };

const HINTS = {
  host: "it listens on 127.0.0.1",
  port: "the system chooses the port: read it from url",
};

/**
 * Serves a test server over real WebSockets on a free port of 127.0.0.1. Faults act on the TCP socket.
 *
 * @throws UsageError `ERR_INVALID_ARGUMENT` for a value that is no test server, and for an invalid option.
 * @example
 * import { LazyExecServerClient, webSocket } from "exec-server-sdk";
 * import { TestServer } from "exec-server-sdk/testing";
 * import { listen } from "exec-server-sdk/testing/node";
 *
 * await using served = await listen(new TestServer());
 * await using app = new LazyExecServerClient({ transport: webSocket(served.url) });
 * await app.status();
 */
export async function listen(
  acceptor: TestServerDoor,
  options: ListenOptions = {},
): Promise<ListeningTestServer> {
  checkAcceptor("listen()", acceptor);
  checkOptions("listen()", options, RULES, HINTS);
  const { allowOrigin = false } = options;
  const webSockets = new WebSocketServer({ noServer: true });
  const http = createServer((request, response) => {
    response.writeHead(request.url === "/readyz" ? 200 : 426).end();
  });
  const loopback = await Loopback.listen(http);
  const url = `ws://127.0.0.1:${loopback.port}`;

  http.on("upgrade", async (request, socket: Socket, head) => {
    const refusal = await admission(acceptor);
    if (socket.destroyed) return;
    if (request.headers.origin !== undefined && !allowOrigin) return refuse(socket, { status: 403 });
    if (refusal && refusal.closeCode === undefined) return refuse(socket, refusal);
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const channel = new WebSocketChannel(webSocket, socket);
      if (refusal) {
        channel.start({ onFrame() {}, onEnd() {} });
        channel.close(refusal.closeCode as number, refusal.reason ?? "");
      } else channel.start(acceptor.accept(channel, dialOf(request, url)));
    });
  });
  const close = (): Promise<void> => loopback.close();
  return { url, close, [asyncDispose]: close };
}

/** A custom acceptor may fail. Its dial is then refused as by a server that has failed. */
async function admission(acceptor: TestServerDoor): Promise<DialRefusal | undefined> {
  return await acceptor.admit().catch(() => ({ status: 500 }));
}

function refuse(socket: Socket, { status }: DialRefusal): void {
  if (status === undefined) socket.resetAndDestroy();
  else socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function dialOf(request: IncomingMessage, base: string): TestDial {
  const offered = request.headers["sec-websocket-protocol"];
  return {
    url: new URL(request.url ?? "/", base).href,
    protocols: offered?.split(/\s*,\s*/) ?? [],
    headers: Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    ),
  };
}
