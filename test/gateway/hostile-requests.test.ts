import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GATEWAY_PROTOCOL } from "../../src/gateway.ts";
import type { ExecServerClient } from "../../src/index.ts";
import { PROTOCOLS, realGateway, TOKEN } from "../support/gateway.ts";
import { knock } from "../support/upgrade-request.ts";
import { DOORS } from "./refused-requests.ts";

let gateway: Awaited<ReturnType<typeof realGateway>>;
let nextDoor: ExecServerClient;

beforeAll(async () => {
  gateway = await realGateway();
  nextDoor = await gateway.connect();
});
afterAll(() => gateway[Symbol.asyncDispose]());

describe("a page with the right origin, host and token", () => {
  test("is let in, told the protocol, and never its token", async () => {
    const { status, text } = await knock(gateway.port, {});
    expect(status).toBe(101);
    expect(text).toContain(`Sec-WebSocket-Protocol: ${GATEWAY_PROTOCOL}\r\n`);
    expect(text).not.toContain(TOKEN);
  });

  test.each([
    ["localhost", "localhost"],
    ["localhost with a port", "localhost:1234"],
    ["upper case", "LOCALHOST"],
    ["the IPv6 loopback address", "[::1]"],
    ["the IPv6 loopback address with a port", "[::1]:8787"],
  ])("is let in by the name of %s", async (_, host) => {
    expect((await knock(gateway.port, { headers: { Host: host } })).status).toBe(101);
  });

  test("may offer them in any order, and in two headers", async () => {
    const headers = { "Sec-WebSocket-Protocol": [...PROTOCOLS].reverse() };
    expect((await knock(gateway.port, { headers })).status).toBe(101);
  });

  test("may have a query of its own", async () => {
    expect((await knock(gateway.port, { path: "/?project=1" })).status).toBe(101);
  });
});

describe("nobody is let in with", () => {
  test.each(DOORS)("%s: %i", async (_, status, request) => {
    const dials = gateway.upstream.dials;
    const answer = await knock(gateway.port, request);
    expect(answer.status).toBe(status);
    expect(answer.text).not.toContain(TOKEN);
    expect(gateway.upstream.dials).toBe(dials);
    expect(await nextDoor.status()).toEqual({ status: "ready" });
  });
});
