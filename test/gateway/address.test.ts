import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { clientAddress, networks, type TrustedProxies } from "../../src/gateway/address.ts";
import type { GatewayEvent } from "../../src/gateway.ts";
import { AsyncQueue } from "../support/async-queue.ts";
import { startGateway } from "../support/gateway.ts";
import { requestUpgrade } from "../support/upgrade-request.ts";

const PROXIES = networks(["10.0.0.0/8", "fd00::/8"]);

const addressOf = (trusted: TrustedProxies, peer: string | undefined, forwarded?: string): string =>
  clientAddress(
    {
      socket: { remoteAddress: peer },
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
