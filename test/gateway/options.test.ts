import { describe, expect, test } from "vitest";
import { createGateway, type GatewayOptions } from "../../src/gateway.ts";
import { webSocket } from "../../src/node.ts";

const GOOD: GatewayOptions = {
  upstream: webSocket("ws://127.0.0.1:1"),
  allowedOrigins: ["https://ide.example"],
  authorize: { token: "token" },
};

const make = (more: object) => () => createGateway({ ...GOOD, ...more });

describe("createGateway() throws ERR_INVALID_ARGUMENT for", () => {
  test.each<[string, object]>([
    ["no upstream", { upstream: undefined }],
    ["an upstream that is a URL", { upstream: "ws://127.0.0.1:1" }],
    ["no origins", { allowedOrigins: undefined }],
    ["an empty list of origins", { allowedOrigins: [] }],
    ["an origin that is no list", { allowedOrigins: "https://ide.example" }],
    ["the origin *", { allowedOrigins: ["*"] }],
    ["an origin with a star", { allowedOrigins: ["https://*.example"] }],
    ["the origin null", { allowedOrigins: ["null"] }],
    ["an empty origin", { allowedOrigins: [""] }],
    ["an origin that is no text", { allowedOrigins: [/ide/] }],
    ["a bad origin behind a good one", { allowedOrigins: ["https://ide.example", "ide.example"] }],
    ["an origin without a scheme", { allowedOrigins: ["ide.example"] }],
    ["an origin with a slash at its end", { allowedOrigins: ["https://ide.example/"] }],
    ["an origin with a path", { allowedOrigins: ["https://ide.example/app"] }],
    ["an origin with a query", { allowedOrigins: ["https://ide.example?x"] }],
    ["an origin with a user", { allowedOrigins: ["https://me@ide.example"] }],
    ["an origin in upper case", { allowedOrigins: ["https://IDE.example"] }],
    ["an origin with a default port", { allowedOrigins: ["https://ide.example:443"] }],
    ["an origin with a space", { allowedOrigins: [" https://ide.example"] }],
    ["the address of a WebSocket", { allowedOrigins: ["wss://ide.example"] }],
    ["a file", { allowedOrigins: ["file://"] }],
    ["no authorize", { authorize: undefined }],
    ["authorize: true", { authorize: true }],
    ["no token", { authorize: {} }],
    ["an empty token", { authorize: { token: "" } }],
    ["a token that can't be a subprotocol", { authorize: { token: "with space" } }],
    ["a token with a line end", { authorize: { token: "token\n" } }],
    ["a token that every page offers", { authorize: { token: "exec-server-gateway" } }],
    ["hosts that are no list", { allowedHosts: "ide.example" }],
    ["the host *", { allowedHosts: ["*"] }],
    ["an empty host", { allowedHosts: [""] }],
    ["a host with a scheme", { allowedHosts: ["https://ide.example"] }],
    ["an IPv6 host without brackets", { allowedHosts: ["::1"] }],
    ["a path without a slash", { path: "exec" }],
    ["a path with a query", { path: "/exec?x" }],
    ["no connections", { maxConnections: 0 }],
    ["no deadline", { handshakeTimeoutMs: 0 }],
    ["a deadline no timer can wait for", { handshakeTimeoutMs: Number.POSITIVE_INFINITY }],
    ["messages without a limit", { maxMessageBytes: 0 }],
    ["a limit that would be none", { maxMessageBytes: 2 ** 31 }],
    ["a limit that is no number", { maxUpstreamMessageBytes: Number.NaN }],
  ])("%s", (_, more) => {
    expect(make(more)).toThrow(expect.objectContaining({ code: "ERR_INVALID_ARGUMENT" }));
  });

  test("nothing at all", () => {
    const create = createGateway as (options?: unknown) => unknown;
    expect(() => create()).toThrow(expect.objectContaining({ code: "ERR_INVALID_ARGUMENT" }));
  });

  test("a token, without showing it", () => {
    expect(make({ authorize: { token: "se cret" } })).toThrow(expect.not.stringContaining("se cret"));
  });
});

describe("createGateway() takes", () => {
  test.each<[string, object]>([
    ["an origin with a port", { allowedOrigins: ["http://localhost:5173"] }],
    ["an origin with an IPv6 address", { allowedOrigins: ["http://[::1]:5173"] }],
    ["the origin of an Electron app's own scheme", { allowedOrigins: ["app://ide"] }],
    ["several origins", { allowedOrigins: ["https://a.example", "https://b.example"] }],
    [
      "hosts in upper case, with ports, and IPv6",
      { allowedHosts: ["IDE.example", "a.example:8443", "[::1]"] },
    ],
  ])("%s", (_, more) => {
    expect(make(more)).not.toThrow();
  });
});
