import { EventEmitter, once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { createGateway, type Gateway } from "../../src/gateway.ts";
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

describe("two gateways on one HTTP server", () => {
  test.each([
    ["the one on /exec first", ["/exec", "/other"]],
    ["the one on /exec last", ["/other", "/exec"]],
  ])("each serve their path, and a request for neither gets 404 at once, with %s", async (_, paths) => {
    await using upstream = await ExecServer.start();
    await using shared = await startShared(upstream.url, paths);
    expect((await requestUpgrade(shared.port, { path: "/neither" })).status).toBe(404);
    for (const path of paths) {
      await using client = await ExecServerClient.connect({ transport: pageTransport(shared.url + path) });
      expect(await client.status()).toEqual({ status: "ready" });
    }
    await shared.gateways[0]?.close();
    expect((await requestUpgrade(shared.port, { path: paths[0] ?? "" })).status).toBe(404);
    await using client = await ExecServerClient.connect({ transport: pageTransport(shared.url + paths[1]) });
    expect(await client.status()).toEqual({ status: "ready" });
  });

  test("free the socket of a request for neither path", async () => {
    await using shared = await startShared("ws://127.0.0.1:1", ["/a", "/b"]);
    const socket = connect(shared.port, "127.0.0.1");
    await once(socket, "connect");
    const [accepted] = shared.sockets;
    const closed = once(accepted as Socket, "close");
    socket.write(requestText(shared.port, { path: "/neither" }));
    await closed;
    socket.destroy();
  });

  test("leave requests for other paths to the application's upgrade listener", async () => {
    await using shared = await startShared("ws://127.0.0.1:1", ["/a", "/b"]);
    serveHotReload(shared.server);
    const other = new WebSocket(`${shared.url}/neither`, "hot-reload");
    await once(other, "open");
    other.send("served");
    expect(String((await once(other, "message"))[0])).toBe("served");
    other.terminate();
  });

  test("can't have the same path: attach() throws ERR_INVALID_ARGUMENT", async () => {
    await using shared = await startShared("ws://127.0.0.1:1", ["/a"]);
    const invalid = expect.objectContaining({
      code: "ERR_INVALID_ARGUMENT",
      message: expect.stringContaining("path must differ"),
    });
    expect(() => gatewayOn("/a", "ws://127.0.0.1:1").attach(shared.server)).toThrow(invalid);
    await shared.gateways[0]?.close();
    expect(() => gatewayOn("/a", "ws://127.0.0.1:1").attach(shared.server)).not.toThrow();
  });
});

function gatewayOn(path: string, upstream: string): Gateway {
  return createGateway({
    upstream: webSocket(upstream),
    allowedOrigins: [ORIGIN],
    allowedHosts: ["localhost"],
    authorize: { token: TOKEN },
    path,
  });
}

/** An HTTP server with a gateway for each path. */
async function startShared(upstream: string, paths: readonly string[]) {
  const server = createServer();
  const sockets: Socket[] = [];
  server.on("connection", (socket) => sockets.push(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const gateways = paths.map((path) => gatewayOn(path, upstream));
  for (const gateway of gateways) gateway.attach(server);
  const { port } = server.address() as AddressInfo;
  return {
    server,
    sockets,
    gateways,
    port,
    url: `ws://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      await Promise.all(gateways.map((gateway) => gateway.close()));
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

test("attach() throws ERR_INVALID_ARGUMENT for a value that is no HTTP server", () => {
  // Like an Express application.
  const application = Object.assign(() => {}, EventEmitter.prototype, { listen() {} });
  for (const server of [undefined, null, 8080, {}, application]) {
    expect(() => gatewayOn("/a", "ws://127.0.0.1:1").attach(server as never)).toThrow(
      expect.objectContaining({ code: "ERR_INVALID_ARGUMENT" }),
    );
  }
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
