import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  clientAddress,
  isTrusted,
  networks,
  peerAddress,
  type TrustedProxies,
} from "../../src/gateway/address.ts";
import { createGateway, type GatewayEvent } from "../../src/gateway.ts";
import { AsyncQueue } from "../support/async-queue.ts";
import { ORIGIN, startGateway, TOKEN, UNREACHABLE } from "../support/gateway.ts";
import { rawSocket, requestText, requestUpgrade } from "../support/upgrade-request.ts";

const PROXIES = networks(["10.0.0.0/8", "fd00::/8"]);

/** The peer of a server that listens on a Unix socket has no address. */
const addressOf = (trusted: TrustedProxies, peer: string | undefined, forwarded?: string): string =>
  clientAddress(
    {
      socket: { remoteAddress: peer, server: { address: () => "/run/gateway.sock" } },
      headers: { "x-forwarded-for": forwarded },
    } as unknown as IncomingMessage,
    trusted,
  );

test.each<[string, TrustedProxies, string | undefined, string | undefined, string]>([
  ["no proxy is trusted", false, "10.0.0.1", "192.0.2.7", "10.0.0.1"],
  ["the peer is no trusted proxy", PROXIES, "192.0.2.1", "192.0.2.7", "192.0.2.1"],
  ["the peer is trusted", PROXIES, "10.0.0.1", "192.0.2.7", "192.0.2.7"],
  ["two proxies are trusted", PROXIES, "10.0.0.1", "192.0.2.7, 10.9.9.9", "192.0.2.7"],
  ["the page has forged an entry", PROXIES, "10.0.0.1", "10.6.6.6, 192.0.2.7", "192.0.2.7"],
  ["the page has forged a trusted chain", PROXIES, "10.0.0.1", "1.1.1.1, 192.0.2.7, 10.9.9.9", "192.0.2.7"],
  ["an entry is no address", PROXIES, "10.0.0.1", "192.0.2.7, unknown", "10.0.0.1"],
  ["all entries are trusted", PROXIES, "10.0.0.1", "10.1.1.1, 10.2.2.2", "10.1.1.1"],
  ["the header is missing", PROXIES, "10.0.0.1", undefined, "10.0.0.1"],
  ["the peer is mapped to IPv6", PROXIES, "::ffff:10.0.0.1", "192.0.2.7", "192.0.2.7"],
  ["entries have ports", PROXIES, "fd00::1", "192.0.2.7:1234", "192.0.2.7"],
  ["entries have brackets", PROXIES, "fd00::1", "[2001:db8::7]:1234", "2001:db8::7"],
  ["the peer is trusted, whichever it is", true, "192.0.2.1", "10.6.6.6, 192.0.2.7", "192.0.2.7"],
  ["the peer is on a Unix socket", PROXIES, undefined, "192.0.2.7", "192.0.2.7"],
  ["the peer is on a Unix socket without trust", false, undefined, "192.0.2.7", "unix"],
])("takes the right address when %s", (_, trusted, peer, forwarded, expected) => {
  expect(addressOf(trusted, peer, forwarded)).toBe(expected);
});

test.each([
  [["127.0.0.0/8"], "192.0.2.7"],
  [undefined, "127.0.0.1"],
])("with trustProxy %j, an event has the address %s", async (trustProxy, address) => {
  const events = new AsyncQueue<GatewayEvent>();
  await using gateway = await startGateway("ws://127.0.0.1:1", {
    trustProxy,
    onEvent: (event) => events.push(event),
  });
  const headers = { Origin: "https://evil.example", "X-Forwarded-For": ["10.6.6.6", "192.0.2.7"] };
  await requestUpgrade(gateway.port, { headers });
  expect(await events.next()).toMatchObject({ address });
});

test.each([
  [
    "listens on a Unix socket that the process has inherited",
    { address: () => null, listening: true },
    "unix",
  ],
  ["has closed", { address: () => null, listening: false }, "unknown"],
  ["listens on an address", { address: () => ({ address: "::", port: 80 }), listening: true }, "unknown"],
  ["is not known", undefined, "unknown"],
])("a peer without an address whose server %s", (_, server, expected) => {
  expect(peerAddress({ socket: { server } } as unknown as IncomingMessage)).toBe(expected);
});

test("does not take a peer that has reset its connection, and so has no address, for one on a Unix socket", async () => {
  const events = new AsyncQueue<GatewayEvent>();
  const proxyPeers: boolean[] = [];
  const trustProxy = ["10.0.0.0/8"];
  await using gateway = await startGateway("ws://127.0.0.1:1", {
    trustProxy,
    authorize(request) {
      proxyPeers.push(isTrusted(peerAddress(request), networks(trustProxy)));
      return false;
    },
    onEvent: (event) => events.push(event),
  });
  const socket = await rawSocket(gateway.port);
  // In one turn: the gateway reads the request when the connection is gone.
  socket.write(requestText(gateway.port, { headers: { "X-Forwarded-For": "192.0.2.7" } }));
  socket.resetAndDestroy();
  expect(await events.next()).toMatchObject({ address: "unknown" });
  expect(proxyPeers).toEqual([false]);
});

test("takes the address that a proxy on a Unix socket reports", async () => {
  const events = new AsyncQueue<GatewayEvent>();
  const directory = mkdtempSync(join(tmpdir(), "gateway-test-"));
  const socketPath = join(directory, "socket");
  const server = createServer().listen(socketPath);
  const gateway = createGateway({
    upstream: UNREACHABLE,
    allowedOrigins: [ORIGIN],
    allowedHosts: ["ide.example"],
    authorize: { token: TOKEN },
    trustProxy: [],
    onEvent: (event) => events.push(event),
  });
  gateway.attach(server);
  await once(server, "listening");
  const headers = { connection: "upgrade", upgrade: "websocket", "x-forwarded-for": "192.0.2.7" };
  const sent = request({ socketPath, headers })
    .on("error", () => {})
    .end();
  expect(await events.next()).toMatchObject({ address: "192.0.2.7" });
  sent.destroy();
  await gateway.close();
  server.close();
  server.closeAllConnections();
  rmSync(directory, { recursive: true });
});
