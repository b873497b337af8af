import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { ExecServerClient } from "../../src/index.ts";
import { deferred } from "../../src/internal/deferred.ts";
import { webSocket } from "../../src/node.ts";
import { ORIGIN, PROTOCOLS, startGateway, startRealGateway, unreachable } from "../support/gateway.ts";
import {
  closed,
  openRawWebSocket,
  rawSocket,
  requestRefusal,
  requestUpgrade,
} from "../support/upgrade-request.ts";

const withHost = (Host: string) => ({ headers: { Host } });

test("behind a reverse proxy, admits the proxy's name and no other", async () => {
  await using gateway = await startGateway(unreachable(), {
    allowedHosts: ["IDE.example", "other.example:8443"],
  });
  const status = async (host: string) => (await requestUpgrade(gateway.port, withHost(host))).status;
  expect(await status("ide.example")).toBe(101);
  expect(await status("ide.example:443")).toBe(101);
  expect(await status("Ide.Example")).toBe(101);
  expect(await status("other.example:8443")).toBe(101);
  expect(await status("other.example")).toBe(403);
  expect(await status("other.example:8444")).toBe(403);
  expect(await status("evil.example")).toBe(403);
});

test("works behind a reverse proxy that forwards the Host header", async () => {
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

test("an attached gateway accepts allowedHosts and loopback names only", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await using gateway = await startGateway(unreachable(), { allowedHosts: ["ide.example"] });
  gateway.gateway.attach(server);
  expect((await requestUpgrade(port, withHost("ide.example"))).status).toBe(101);
  expect((await requestUpgrade(port, withHost("localhost:5173"))).status).toBe(101);
  expect((await requestUpgrade(port, withHost("evil.example"))).status).toBe(403);
  server.close();
});

test("closes pages above maxConnections with 4503 until one has closed", async () => {
  await using gateway = await startRealGateway({ maxConnections: 2 });
  const first = await openRawWebSocket(gateway.port);
  await openRawWebSocket(gateway.port);
  expect((await requestRefusal(gateway.port, {})).status).toBe(4503);
  first.destroy();
  await expect.poll(() => [...gateway.gateway.pages].length).toBe(1);
  await using client = await gateway.connect();
  expect(await client.status()).toEqual({ status: "ready" });
});

test("closes pages above maxConnections with 4503, even when all are authorized in the same turn", async () => {
  const authorized = deferred<boolean>();
  let pending = 5;
  await using gateway = await startGateway(unreachable(), {
    maxConnections: 2,
    authorize() {
      if (--pending === 0) authorized.resolve(true);
      return authorized.promise;
    },
  });
  const responses = await Promise.all(
    Array.from({ length: pending }, () => requestRefusal(gateway.port, {})),
  );
  // The admitted ones learn that the exec-server can't be reached.
  expect(responses.map(({ status }) => status).sort()).toEqual([4002, 4002, 4503, 4503, 4503]);
});

test.each([
  ["/livez", 200],
  ["/readyz", 503],
  ["/", 404],
  ["/readyz/more", 404],
])("responds to GET %s with %i and closes the socket", async (path, status) => {
  await using gateway = await startGateway(unreachable());
  expect((await requestUpgrade(gateway.port, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)).status).toBe(status);
});

test("closes the socket of a request with an endless body", async () => {
  await using gateway = await startGateway(unreachable());
  const socket = await rawSocket(gateway.port);
  socket.resume().write("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  const drip = setInterval(() => socket.write("1\r\nx\r\n"), 5);
  await closed(socket);
  clearInterval(drip);
});
