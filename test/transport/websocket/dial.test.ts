import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { ConnectError, ExecServerClient, TimeoutError } from "../../../src/index.ts";
import { webSocket as nodeWebSocket } from "../../../src/node.ts";
import { ExecServer } from "../../support/exec-server.ts";
import { failureOf } from "../../support/failure.ts";
import { expectNoneShown } from "../../support/leaks.ts";
import { RawServer, unusedPort } from "../../support/tcp-server.ts";
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

test("the real server refuses a request with an Origin header, which every browser page sends", async () => {
  await using server = await ExecServer.start();
  const transport = nodeWebSocket(server.url, { headers: { origin: "https://example.com" } });
  const error = await failureOf(ExecServerClient.connect({ transport }));
  expect(error).toMatchObject({ code: "ERR_CONNECT", phase: "dial", status: 403 });
});
