import { once } from "node:events";
import { describe, expect, test, vi } from "vitest";
import {
  ConnectError,
  ExecServerClient,
  webSocket as rootWebSocket,
  TimeoutError,
  type Transport,
} from "../../../src/index.ts";
import { webSocket as nodeWebSocket } from "../../../src/node.ts";
import { dialError } from "../../../src/transport/websocket/dial.ts";
import { ExecServer } from "../../support/exec-server.ts";
import { failureOf } from "../../support/failure.ts";
import { expectNoneShown } from "../../support/leaks.ts";
import { RawServer, unusedPort } from "../../support/tcp-server.ts";
import { selfSigned, startTlsServer } from "../../support/tls-server.ts";
import { PlainWebSocketServer } from "../../support/websocket-server.ts";
import { ENTRIES } from "../harness/entries.ts";

/** Adds a credential to every part of a URL that can hold one. */
function withSecrets(url: string): string {
  return `${url.replace("://", "://hunter2:hunter3@")}/exec?token=hunter4#hunter5`;
}
const SECRETS = ["hunter2", "hunter3", "hunter4", "hunter5"];

describe.each(ENTRIES)("a dial of webSocket() of the %s", (_, makeTransport) => {
  test.each([200, 301, 401, 403, 404, 500])(
    "reports the HTTP status %i of a refused upgrade",
    async (status) => {
      await using server = await RawServer.http((request, response) => {
        response.writeHead(status, { location: "/elsewhere", "content-type": "text/html" });
        response.end(`<h1>${request.url}</h1>`);
      });
      const transport = makeTransport(withSecrets(server.url));
      const error = await failureOf(ExecServerClient.connect({ transport }));
      expect(error).toBeInstanceOf(ConnectError);
      expect(error).toMatchObject({ code: "ERR_CONNECT", phase: "dial", delivery: "not-sent", status });
      expectNoneShown(error, SECRETS);
      expect(server.accepted).toBe(1);
    },
  );

  test("says what is wrong with an upgrade that it can't accept", async () => {
    await using server = await PlainWebSocketServer.start({ handleProtocols: () => false });
    const transport = makeTransport(withSecrets(server.url), { protocols: ["exec"] });
    const error = await failureOf(ExecServerClient.connect({ transport }));
    expect(error).toMatchObject({ code: "ERR_CONNECT", phase: "dial", delivery: "not-sent" });
    expect((error as ConnectError).message).toContain("/exec: Server sent no subprotocol");
    expectNoneShown(error, SECRETS);
  });

  test("fails at once on a port without a listener", async () => {
    const transport = makeTransport(withSecrets(`ws://127.0.0.1:${await unusedPort()}`));
    const error = await failureOf(ExecServerClient.connect({ transport }));
    expect(error).toMatchObject({ code: "ERR_CONNECT", phase: "dial", cause: { code: "ECONNREFUSED" } });
    expect((error as ConnectError).status).toBeUndefined();
    expectNoneShown(error, SECRETS);
  });

  test("fails for a host that does not exist", async () => {
    const transport = makeTransport(withSecrets("ws://exec-server.invalid"));
    const error = await failureOf(ExecServerClient.connect({ transport }));
    expect(error).toMatchObject({ code: "ERR_CONNECT", phase: "dial" });
    expect((error as ConnectError).message).toContain("exec-server.invalid");
    expectNoneShown(error, SECRETS);
  });

  test("fails if the server closes the connection instead of answering", async () => {
    await using server = await RawServer.silent();
    const connecting = failureOf(ExecServerClient.connect({ transport: makeTransport(server.url) }));
    (await server.next()).destroy();
    expect(await connecting).toMatchObject({ code: "ERR_CONNECT", phase: "dial" });
  });

  test("fails for a wss: URL of a server without TLS", async () => {
    await using server = await RawServer.http((_request, response) => response.end());
    const transport = makeTransport(withSecrets(server.url.replace("ws:", "wss:")));
    const error = await failureOf(ExecServerClient.connect({ transport }));
    expect(error).toMatchObject({ code: "ERR_CONNECT", phase: "dial" });
    expectNoneShown(error, SECRETS);
  });

  test("times out on a server that never upgrades, and closes the socket", async () => {
    await using server = await RawServer.silent();
    const start = performance.now();
    const connecting = failureOf(
      ExecServerClient.connect({ transport: makeTransport(withSecrets(server.url)), connectTimeoutMs: 150 }),
    );
    const socket = await server.next();
    const closed = once(socket, "close");
    const error = await connecting;
    const waited = performance.now() - start;
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ code: "ERR_CONNECT_TIMEOUT", delivery: "not-sent" });
    expect(waited).toBeGreaterThan(140);
    expect(waited).toBeLessThan(2_000);
    expectNoneShown(error, SECRETS);
    await closed;
  });
});

describe("the error of a failed dial", () => {
  test("says no more than that where neither a reason nor a hint is known", () => {
    const { message } = dialError("ws://host/", {}, undefined, () => undefined);
    expect(message).toBe("Could not connect to ws://host/");
  });

  async function messageOf(transport: Transport): Promise<string> {
    const error = await failureOf(ExecServerClient.connect({ transport, connectTimeoutMs: 2_000 }));
    expect(error).toMatchObject({ phase: "dial", delivery: "not-sent" });
    return (error as Error).message;
  }

  test.each([
    [401, "token"],
    [403, "pages need a gateway"],
    [404, "port and path"],
    [426, "port and path"],
    [200, "port and path"],
    [503, "full"],
    [502, "proxy"],
  ])("says after HTTP %i where to look: %s", async (status, hint) => {
    await using server = await RawServer.http((_, response) => response.writeHead(status).end());
    const message = await messageOf(nodeWebSocket(server.url));
    expect(message).toContain(`HTTP ${status}`);
    expect(message).toContain(hint);
  });

  test("says that no server listens", async () => {
    expect(await messageOf(nodeWebSocket(`ws://127.0.0.1:${await unusedPort()}`))).toMatch(
      /ECONNREFUSED.*no server listens/,
    );
  });

  test("says that ws: is needed where wss: meets a server without TLS", async () => {
    await using server = await RawServer.http((_, response) => response.end());
    expect(await messageOf(nodeWebSocket(server.url.replace("ws:", "wss:")))).toContain("use ws:");
  });

  test("says that wss: is needed where ws: meets a server with TLS", async () => {
    await using tls = await startTlsServer(selfSigned("localhost"));
    expect(await messageOf(nodeWebSocket(tls.url.replace("wss:", "ws:")))).toContain("use wss:");
  });

  class Silent extends EventTarget {
    readyState = 0;
    binaryType = "blob";
    constructor() {
      super();
      queueMicrotask(() => this.dispatchEvent(new Event("error")));
    }
    send(): void {}
    close(): void {}
  }

  test("names the node entry where a WebSocket in Node reports no reason", async () => {
    const transport = rootWebSocket("ws://127.0.0.1:1", { WebSocket: Silent });
    expect(await messageOf(transport)).toContain("exec-server-sdk/node");
  });

  test("says in a page what it can be, and where to look", async () => {
    vi.stubGlobal("process", undefined);
    const connecting = rootWebSocket("ws://127.0.0.1:1", { WebSocket: Silent }).connect({
      signal: new AbortController().signal,
    });
    const { message } = (await failureOf(connecting)) as Error;
    vi.unstubAllGlobals();
    for (const part of ["no server", "origin", "token", "console"]) expect(message).toContain(part);
  });

  test("says what it waited for when the time is over", async () => {
    await using server = await RawServer.silent();
    const url = withSecrets(server.url);
    const transports = [
      [nodeWebSocket(url), "/exec has not answered"],
      [nodeWebSocket(() => new Promise(() => {})), "target function"],
    ] as const;
    for (const [transport, reason] of transports) {
      const error = await failureOf(ExecServerClient.connect({ transport, connectTimeoutMs: 50 }));
      expect(error).toMatchObject({ code: "ERR_CONNECT_TIMEOUT", message: expect.stringContaining(reason) });
      expectNoneShown(error, SECRETS);
    }
  });
});

test("the real server refuses a request with an Origin header, which every browser page sends", async () => {
  await using server = await ExecServer.start();
  const transport = nodeWebSocket(server.url, { headers: { origin: "https://example.com" } });
  const error = await failureOf(ExecServerClient.connect({ transport }));
  expect(error).toMatchObject({ code: "ERR_CONNECT", phase: "dial", status: 403 });
});
