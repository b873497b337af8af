import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { ExecServerClient } from "../../src/index.ts";
import { deferred } from "../../src/internal/deferred.ts";
import { webSocket } from "../../src/node.ts";
import { ORIGIN, PROTOCOLS, RecordingTransport, startGateway, startRealGateway } from "../support/gateway.ts";
import { closed, openRawWebSocket, rawSocket, requestUpgrade } from "../support/upgrade-request.ts";

const nowhere = (): RecordingTransport =>
  new RecordingTransport({ reconnectable: true, connect: () => Promise.reject(new Error("not here")) });
const named = (Host: string) => ({ headers: { Host } });

test("behind a reverse proxy a page gets in by the proxy's name, and by no other", async () => {
  await using gateway = await startGateway(nowhere(), {
    allowedHosts: ["IDE.example", "other.example:8443"],
  });
  const status = async (host: string) => (await requestUpgrade(gateway.port, named(host))).status;
  expect(await status("ide.example")).toBe(101);
  expect(await status("ide.example:443")).toBe(101);
  expect(await status("Ide.Example")).toBe(101);
  expect(await status("other.example:8443")).toBe(101);
  expect(await status("other.example")).toBe(403);
  expect(await status("other.example:8444")).toBe(403);
  expect(await status("evil.example")).toBe(403);
});

test("a client works through a proxy that passes its Host on", async () => {
  await using gateway = await startRealGateway({ allowedHosts: ["ide.example"] });
  const proxy = createServer().listen(0, "127.0.0.1");
  await once(proxy, "listening");
  proxy.on("upgrade", (request, socket, head) => {
    const backend = connect(gateway.port, "127.0.0.1", () => {
      const headers = request.rawHeaders.map((text, at) => (at % 2 === 0 ? `${text}: ` : `${text}\r\n`));
      backend.write(`GET ${request.url} HTTP/1.1\r\n${headers.join("")}\r\n`);
      backend.write(head);
      socket.pipe(backend).pipe(socket);
    });
  });
  const { port } = proxy.address() as AddressInfo;
  const client = await ExecServerClient.connect({
    transport: webSocket(`ws://127.0.0.1:${port}`, {
      protocols: PROTOCOLS,
      headers: { origin: ORIGIN, host: "ide.example" },
    }),
  });
  expect((await client.run(["echo", "through"])).stdout).toBe("through\n");
  await client.close();
  proxy.close();
});

test("an attached gateway is reached by allowedHosts and loopback names only", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await using gateway = await startGateway(nowhere(), { allowedHosts: ["ide.example"] });
  gateway.gateway.attach(server);
  expect((await requestUpgrade(port, named("ide.example"))).status).toBe(101);
  expect((await requestUpgrade(port, named("localhost:5173"))).status).toBe(101);
  expect((await requestUpgrade(port, named("evil.example"))).status).toBe(403);
  server.close();
});

test("pages above maxConnections get 503, until one leaves", async () => {
  await using gateway = await startRealGateway({ maxConnections: 2 });
  const first = await openRawWebSocket(gateway.port);
  await openRawWebSocket(gateway.port);
  expect((await requestUpgrade(gateway.port, {})).status).toBe(503);
  first.destroy();
  await expect.poll(async () => (await requestUpgrade(gateway.port, {})).status).toBe(101);
});

test("pages above maxConnections get 503, also when they are authorized in the same moment", async () => {
  const authorized = deferred<boolean>();
  let waiting = 5;
  await using gateway = await startGateway(nowhere(), {
    maxConnections: 2,
    authorize() {
      if (--waiting === 0) authorized.resolve(true);
      return authorized.promise;
    },
  });
  const answers = await Promise.all(Array.from({ length: waiting }, () => requestUpgrade(gateway.port, {})));
  expect(answers.map(({ status }) => status).sort()).toEqual([101, 101, 503, 503, 503]);
});

test.each([
  ["/readyz", 200],
  ["/", 404],
  ["/readyz/more", 404],
])("GET %s answers %i, and hangs up", async (path, status) => {
  await using gateway = await startGateway(nowhere());
  expect((await requestUpgrade(gateway.port, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)).status).toBe(status);
});

test("a request with an endless body is answered and cut", async () => {
  await using gateway = await startGateway(nowhere());
  const socket = await rawSocket(gateway.port);
  socket.resume().write("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  const drip = setInterval(() => socket.write("1\r\nx\r\n"), 5);
  await closed(socket);
  clearInterval(drip);
});
