import { describe, expect, test } from "vitest";
import { createGateway, type GatewayOptions } from "../../src/gateway.ts";
import { webSocket } from "../../src/node.ts";

const VALID: GatewayOptions = {
  upstream: webSocket("ws://127.0.0.1:1"),
  allowedOrigins: ["https://ide.example"],
  authorize: { token: "a-token-of-16-characters" },
};

const createWith = (changes: object) => () => createGateway({ ...VALID, ...changes });

describe("createGateway() throws ERR_INVALID_ARGUMENT for", () => {
  test.each<[string, object]>([
    ["no upstream", { upstream: undefined }],
    ["an upstream that is a URL", { upstream: "ws://127.0.0.1:1" }],
    ["no origins", { allowedOrigins: undefined }],
    ["an empty list of origins", { allowedOrigins: [] }],
    ["origins that are not an array", { allowedOrigins: "https://ide.example" }],
    ["the origin *", { allowedOrigins: ["*"] }],
    ["an origin with a star", { allowedOrigins: ["https://*.example"] }],
    ["the origin null", { allowedOrigins: ["null"] }],
    ["an empty origin", { allowedOrigins: [""] }],
    ["an origin that is not a string", { allowedOrigins: [/ide/] }],
    ["an invalid origin after a valid one", { allowedOrigins: ["https://ide.example", "ide.example"] }],
    ["an origin without a scheme", { allowedOrigins: ["ide.example"] }],
    ["an origin with a trailing slash", { allowedOrigins: ["https://ide.example/"] }],
    ["an origin with a path", { allowedOrigins: ["https://ide.example/app"] }],
    ["an origin with a query", { allowedOrigins: ["https://ide.example?x"] }],
    ["an origin with a user", { allowedOrigins: ["https://me@ide.example"] }],
    ["an origin in upper case", { allowedOrigins: ["https://IDE.example"] }],
    ["an origin with a default port", { allowedOrigins: ["https://ide.example:443"] }],
    ["an origin with a space", { allowedOrigins: [" https://ide.example"] }],
    ["the address of a WebSocket", { allowedOrigins: ["wss://ide.example"] }],
    ["the origin of a file", { allowedOrigins: ["file://"] }],
    ["no authorize", { authorize: undefined }],
    ["authorize: true", { authorize: true }],
    ["authorize without a token", { authorize: {} }],
    ["an empty token", { authorize: { token: "" } }],
    ["a token that is not a valid subprotocol", { authorize: { token: "with space" } }],
    ["a token with a line break", { authorize: { token: "token\n" } }],
    ["a token of 15 characters", { authorize: { token: "123456789012345" } }],
    ["no tokens", { authorize: { tokens: {} } }],
    ["a list of tokens", { authorize: { tokens: ["a-token-of-16-characters"] } }],
    ["a short one of several tokens", { authorize: { tokens: { a: "short" } } }],
    [
      "the same token under two names",
      { authorize: { tokens: { a: "a-token-of-16-characters", b: "a-token-of-16-characters" } } },
    ],
    ["an empty list of paths", { path: [] }],
    ["a proxy that is a host name", { trustProxy: ["proxy.example"] }],
    ["a proxy with too many bits", { trustProxy: ["10.0.0.0/33"] }],
    ["a proxy that is no list", { trustProxy: "10.0.0.1" }],
    ["maxHandshakes: 0", { maxHandshakes: 0 }],
    ["maxPagesPerUser: 0", { maxPagesPerUser: 0 }],
    ["idleTimeoutMs: 0", { idleTimeoutMs: 0 }],
    ["maxDurationMs: -1", { maxDurationMs: -1 }],
    ["the gateway's subprotocol as a token", { authorize: { token: "exec-server-gateway" } }],
    ["hosts that are not an array", { allowedHosts: "ide.example" }],
    ["the host *", { allowedHosts: ["*"] }],
    ["an empty host", { allowedHosts: [""] }],
    ["a host with a scheme", { allowedHosts: ["https://ide.example"] }],
    ["an IPv6 host without brackets", { allowedHosts: ["::1"] }],
    ["a path without a slash", { path: "exec" }],
    ["a path with a query", { path: "/exec?x" }],
    ["maxConnections: 0", { maxConnections: 0 }],
    ["handshakeTimeoutMs: 0", { handshakeTimeoutMs: 0 }],
    ["an infinite handshakeTimeoutMs", { handshakeTimeoutMs: Number.POSITIVE_INFINITY }],
    ["maxMessageBytes: 0", { maxMessageBytes: 0 }],
    ["maxMessageBytes above 2 ** 31 - 1", { maxMessageBytes: 2 ** 31 }],
    ["maxUpstreamMessageBytes: NaN", { maxUpstreamMessageBytes: Number.NaN }],
  ])("%s", (_, changes) => {
    expect(createWith(changes)).toThrow(expect.objectContaining({ code: "ERR_INVALID_ARGUMENT" }));
  });

  test("a call without options", () => {
    const create = createGateway as (options?: unknown) => unknown;
    expect(() => create()).toThrow(expect.objectContaining({ code: "ERR_INVALID_ARGUMENT" }));
  });

  test.each([
    ["a text", { token: "se cret" as unknown }],
    ["a number", { token: 1234567890123456 as unknown }],
    ["a number beside others", { tokens: { ada: 1234567890123456 as unknown } }],
  ])("%s that is no token, without showing it", (_, authorize) => {
    const secret = expect.stringMatching(/se cret|1234567890123456/);
    expect(createWith({ authorize: authorize as never })).toThrow(
      expect.not.objectContaining({ message: secret }),
    );
  });
});

test.each<[object, string]>([
  [{ upstream: undefined }, "upstream must be a transport or a function that returns one, got undefined"],
  [{ allowedOrigins: [] }, "allowedOrigins must be a non-empty array of exact origins, got an empty array"],
  [
    { allowedOrigins: ["*"] },
    'allowedOrigins must contain exact origins such as https://ide.example, got "*"',
  ],
  [{ allowedOrigins: ["HTTPS://IDE.example:443/app"] }, 'did you mean "https://ide.example"?'],
  [{ allowedOrigins: ["wss://ide.example/exec"] }, 'did you mean "https://ide.example"?'],
  [{ allowedOrigins: ["ide.example"] }, 'did you mean "https://ide.example"?'],
  [{ allowedOrigins: ["localhost:5173"] }, 'did you mean "http://localhost:5173"?'],
  [{ authorize: { token: "s3cret" } }, "authorize.token must be at least 16 letters, digits and -._~+"],
  [{ allowedHosts: [""] }, 'allowedHosts must contain host names such as ide.example, got ""'],
  [{ authorize: "s3cret" }, "authorize must be a function or an object with a token or tokens, got a string"],
  [{ heartbeatMs: 3.5 }, "heartbeatMs must be an integer from 1 to 2147483647, got 3.5"],
])("the error for %j states what was expected and received", (changes, message) => {
  expect(createWith(changes)).toThrow(message);
});

describe("createGateway() accepts", () => {
  test.each<[string, object]>([
    ["an origin with a port", { allowedOrigins: ["http://localhost:5173"] }],
    ["an origin with an IPv6 address", { allowedOrigins: ["http://[::1]:5173"] }],
    ["the origin of an Electron app's own scheme", { allowedOrigins: ["app://ide"] }],
    ["networks of proxies", { trustProxy: ["10.0.0.0/8", "::1", "fd00::/8"] }],
    ["several paths", { path: ["/a", "/b"] }],
    [
      "several tokens",
      { authorize: { tokens: { a: "a-token-of-16-characters", b: "another-token-of-16" } } },
    ],
    ["no idle timeout", { idleTimeoutMs: Number.POSITIVE_INFINITY }],
    ["several origins", { allowedOrigins: ["https://a.example", "https://b.example"] }],
    [
      "hosts in upper case, with ports, and IPv6",
      { allowedHosts: ["IDE.example", "a.example:8443", "[::1]"] },
    ],
  ])("%s", (_, changes) => {
    expect(createWith(changes)).not.toThrow();
  });
});

describe("createGateway() checks the names and kinds of its options:", () => {
  test.each<[string, object, string]>([
    ["a misspelled one", { maxConection: 3 }, "ERR_INVALID_ARGUMENT"],
    ["an onEvent that is no function", { onEvent: "log" }, "ERR_INVALID_ARGUMENT"],
    ["a number that is null", { heartbeatMs: null }, "ERR_INVALID_ARGUMENT"],
    ["a misspelled member of authorize", { authorize: { token: "t", tokens: {} } }, "ERR_INVALID_ARGUMENT"],
    ["the former onPage", { onPage() {} }, "ERR_UNSUPPORTED"],
    ["one of listen()", { port: 80 }, "ERR_UNSUPPORTED"],
    ["one of ws", { verifyClient() {} }, "ERR_UNSUPPORTED"],
  ])("%s", (_, changes, code) => {
    expect(createWith(changes)).toThrow(expect.objectContaining({ code }));
  });

  test("undefined is not given", () => {
    expect(createWith({ maxConnections: undefined, onEvent: undefined, other: undefined })).not.toThrow();
  });
});

describe("the methods of a gateway", () => {
  test.each<[string, unknown, string]>([
    ["a port as text", { port: "80" }, "ERR_INVALID_ARGUMENT"],
    ["a port that is too high", { port: 65_536 }, "ERR_INVALID_ARGUMENT"],
    ["a port that is null", { port: null }, "ERR_INVALID_ARGUMENT"],
    ["an empty host", { host: "" }, "ERR_INVALID_ARGUMENT"],
    ["an unknown name", { hostname: "localhost" }, "ERR_INVALID_ARGUMENT"],
    ["a path", { path: "/exec" }, "ERR_UNSUPPORTED"],
    ["a number instead of options", 8080, "ERR_INVALID_ARGUMENT"],
  ])("listen() rejects %s, and can be called again", async (_, options, code) => {
    const gateway = createGateway(VALID);
    await expect(gateway.listen(options as never)).rejects.toMatchObject({ code });
    await gateway.listen({ port: undefined, host: undefined });
    await gateway.close();
  });

  test.each([{ graceMs: -1 }, { graceMs: Number.NaN }, { graceMs: "1" }, { timeoutMs: 1 }, 1000])(
    "close() rejects %j",
    async (options) => {
      const gateway = createGateway(VALID);
      await expect(gateway.close(options as never)).rejects.toMatchObject({ code: "ERR_INVALID_ARGUMENT" });
      await gateway.close({ graceMs: Number.POSITIVE_INFINITY });
    },
  );

  test("work through a Proxy", async () => {
    const gateway = new Proxy(createGateway(VALID), {});
    const { url } = await gateway.listen();
    expect(url).toMatch("ws://127.0.0.1:");
    await gateway.close();
  });
});
