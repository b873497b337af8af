import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GATEWAY_PROTOCOL } from "../../src/gateway.ts";
import type { ExecServerClient } from "../../src/index.ts";
import { PROTOCOLS, startRealGateway, TOKEN } from "../support/gateway.ts";
import { requestRefusal, requestUpgrade } from "../support/upgrade-request.ts";
import { REFUSED_REQUESTS } from "./refused-requests.ts";

let gateway: Awaited<ReturnType<typeof startRealGateway>>;
let otherClient: ExecServerClient;

beforeAll(async () => {
  gateway = await startRealGateway();
  otherClient = await gateway.connect();
});
afterAll(() => gateway[Symbol.asyncDispose]());

describe("the gateway admits", () => {
  test("a page with the right origin, host and token, and never echoes the token", async () => {
    const { status, text } = await requestUpgrade(gateway.port, {});
    expect(status).toBe(101);
    expect(text).toContain(`Sec-WebSocket-Protocol: ${GATEWAY_PROTOCOL}\r\n`);
    expect(text).not.toContain(TOKEN);
  });

  test.each([
    ["localhost", "localhost"],
    ["localhost with a port", "localhost:1234"],
    ["localhost in upper case", "LOCALHOST"],
    ["the IPv6 loopback address", "[::1]"],
    ["the IPv6 loopback address with a port", "[::1]:8787"],
  ])("the host %s", async (_, host) => {
    expect((await requestUpgrade(gateway.port, { headers: { Host: host } })).status).toBe(101);
  });

  test("subprotocols in any order, and in two headers", async () => {
    const headers = { "Sec-WebSocket-Protocol": [...PROTOCOLS].reverse() };
    expect((await requestUpgrade(gateway.port, { headers })).status).toBe(101);
  });

  test("a path with a query", async () => {
    expect((await requestUpgrade(gateway.port, { path: "/?project=1" })).status).toBe(101);
  });
});

describe("the gateway refuses a request with", () => {
  test.each(REFUSED_REQUESTS)("%s: %i", async (_, status, request) => {
    const dials = gateway.upstream.dials;
    const response = await requestRefusal(gateway.port, request);
    expect(response.status).toBe(status);
    expect(response.text).not.toContain(TOKEN);
    expect(gateway.upstream.dials).toBe(dials);
    expect(await otherClient.status()).toEqual({ status: "ready" });
  });
});
