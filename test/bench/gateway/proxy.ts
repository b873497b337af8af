/**
 * One way from pages to an exec-server, in a process of its own. Arguments: its name and the URL of the server. Sends its
 * port, and its use of processor and memory whenever it is asked for.
 */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import { createGateway } from "../../../dist/gateway.js";
import { webSocket } from "../../../dist/node.js";
import { load } from "../peers/load.ts";
import { ORIGIN, type Report, TOKEN, type WayName } from "./ways.ts";

interface HttpProxy {
  createProxyServer(options: object): {
    on(event: string, listener: (...args: never[]) => void): unknown;
    ws(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  };
}

const [name, upstream = ""] = process.argv.slice(2);
const STARTS: Readonly<Record<Exclude<WayName, "direct">, () => Promise<number>>> = {
  async gateway() {
    const gateway = createGateway({
      upstream: webSocket(upstream),
      allowedOrigins: [ORIGIN],
      authorize: { token: TOKEN },
      maxConnections: 10_000,
    });
    return Number(new URL((await gateway.listen()).url).port);
  },

  async "bare ws proxy"() {
    const server = createServer();
    const pages = new WebSocketServer({ server, perMessageDeflate: false });
    pages.on("connection", (page) => {
      const up = new WebSocket(upstream, { perMessageDeflate: false });
      const early: Buffer[] = [];
      page.on("message", (data: Buffer) => {
        if (up.readyState === WebSocket.OPEN) up.send(data, { binary: false });
        else early.push(data);
      });
      up.on("open", () => {
        for (const data of early) up.send(data, { binary: false });
      });
      up.on("message", (data) => page.send(data as Buffer, { binary: false }));
      for (const [side, other] of [
        [page, up],
        [up, page],
      ] as const) {
        side.on("error", () => {});
        side.on("close", () => other.terminate());
      }
    });
    return await listening(server);
  },

  async "http-proxy"() {
    const { createProxyServer } = (await load<{ default: HttpProxy }>("http-proxy")).default;
    const proxy = createProxyServer({ target: upstream.replace(/^ws/, "http"), ws: true });
    proxy.on("proxyReqWs", (request: { removeHeader(name: string): void }) => request.removeHeader("origin"));
    proxy.on("error", () => {});
    return await listening(createServer().on("upgrade", (...args) => proxy.ws(...args)));
  },
};

function listening(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () =>
      resolve((server.address() as AddressInfo).port),
    );
  });
}

let collectingMs = 0;

function report(): Report {
  // Without the collection, which is no work of the pages.
  const { user, system } = process.cpuUsage();
  globalThis.gc?.();
  globalThis.gc?.();
  const after = process.cpuUsage();
  const cpuMs = (user + system) / 1000 - collectingMs;
  collectingMs += (after.user + after.system - user - system) / 1000;
  const { rss, heapUsed, external } = process.memoryUsage();
  return { cpuMs, rss, memory: heapUsed + external };
}

process.on("message", () => process.send?.(report()));
process.on("disconnect", () => process.exit());
process.send?.(await STARTS[name as keyof typeof STARTS]());
