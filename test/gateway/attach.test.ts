import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { createGateway } from "../../src/gateway.ts";
import { ExecServerClient } from "../../src/index.ts";
import { webSocket } from "../../src/node.ts";
import { ExecServer } from "../support/exec-server.ts";
import { ORIGIN, pageTransport, TOKEN } from "../support/gateway.ts";
import { requestText, requestUpgrade } from "../support/upgrade-request.ts";

/** An HTTP server of an application with an attached gateway at `/exec`. */
async function startApplication() {
  const upstream = await ExecServer.start();
  const server: Server = createServer((_, response) => response.end("the application"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const gateway = createGateway({
    upstream: webSocket(upstream.url),
    allowedOrigins: [ORIGIN],
    allowedHosts: ["localhost"],
    authorize: { token: TOKEN },
    path: "/exec",
  });
  gateway.attach(server);
  const { port } = server.address() as AddressInfo;
  return {
    server,
    gateway,
    port,
    url: `ws://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      await gateway.close();
      server.close();
      server.closeAllConnections();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

/** Like a development server: an upgrade listener that selects by subprotocol, whatever the path. */
function serveHotReload(server: Server): void {
  const sockets = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket, head) => {
    if (request.headers["sec-websocket-protocol"] !== "hot-reload") return;
    sockets.handleUpgrade(request, socket, head, (page) =>
      page.on("message", (text) => page.send(String(text))),
    );
  });
}

test("an attached gateway and another upgrade listener share an HTTP server", async () => {
  await using app = await startApplication();
  serveHotReload(app.server);
  const other = new WebSocket(app.url, "hot-reload");
  await once(other, "open");
  const client = await ExecServerClient.connect({ transport: pageTransport(`${app.url}/exec`) });
  expect((await client.run(["echo", "hello"])).stdout).toBe("hello\n");
  const refused = await requestUpgrade(app.port, {
    path: "/exec",
    headers: { Origin: "https://evil.example" },
  });
  expect(refused.status).toBe(403);
  other.send("still here");
  expect(String((await once(other, "message"))[0])).toBe("still here");
  await client.close();
  other.terminate();
});

test("a request for another path gets 404 when there is no other upgrade listener", async () => {
  await using app = await startApplication();
  expect((await requestUpgrade(app.port, { path: "/other" })).status).toBe(404);
  expect((await requestUpgrade(app.port, { path: "/executive" })).status).toBe(404);
});

test("the HTTP server and its other upgrade listeners keep working after close()", async () => {
  await using app = await startApplication();
  serveHotReload(app.server);
  await app.gateway.close();
  expect(await (await fetch(`http://127.0.0.1:${app.port}/`)).text()).toBe("the application");
  const other = new WebSocket(app.url, "hot-reload");
  await once(other, "open");
  other.terminate();
  expect(app.server.listenerCount("upgrade")).toBe(1);
});

test("after close() a request for the gateway's path reaches the application", async () => {
  await using app = await startApplication();
  await app.gateway.close();
  const text = requestText(app.port, { path: "/exec" }).replace("Connection: Upgrade", "Connection: close");
  expect((await requestUpgrade(app.port, text)).status).toBe(200);
});

test("a request that another upgrade listener has already accepted does not break the server", async () => {
  await using app = await startApplication();
  const other = new WebSocketServer({ noServer: true });
  app.server.prependListener("upgrade", (request, socket, head) => {
    other.handleUpgrade(request, socket, head, () => {});
  });
  expect((await requestUpgrade(app.port, { path: "/exec" })).status).toBe(101);
  expect(await (await fetch(`http://127.0.0.1:${app.port}/`)).text()).toBe("the application");
});

test("attach() throws ERR_INVALID_ARGUMENT without allowedHosts, and after close()", async () => {
  const invalid = expect.objectContaining({ code: "ERR_INVALID_ARGUMENT" });
  const options = {
    upstream: webSocket("ws://127.0.0.1:1"),
    allowedOrigins: [ORIGIN],
    authorize: { token: TOKEN },
  };
  const server = createServer();
  expect(() => createGateway(options).attach(server)).toThrow(invalid);
  const gateway = createGateway({ ...options, allowedHosts: ["localhost"] });
  await gateway.close();
  expect(() => gateway.attach(server)).toThrow(invalid);
  expect(server.listenerCount("upgrade")).toBe(0);
});
