import { Agent as HttpAgent } from "node:http";
import { Agent, type AgentOptions } from "node:https";
import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { ExecServerClient } from "../../src/index.ts";
import { type NodeWebSocketOptions, webSocket } from "../../src/node.ts";
import { failureOf } from "../support/failure.ts";
import { expectNoneShown } from "../support/leaks.ts";
import { SocketServer } from "../support/scripted-server.ts";
import { selfSigned, startTlsServer } from "../support/tls-server.ts";

const localhost = selfSigned("localhost");
const elsewhere = selfSigned("exec-server.example");
const visitor = selfSigned("visitor");

async function status(url: string, options?: NodeWebSocketOptions) {
  await using client = await ExecServerClient.connect({ transport: webSocket(url, options) });
  return await client.status();
}

describe("webSocket() of the node entry over TLS", () => {
  test("refuses a certificate that no known authority has signed, and names the option", async () => {
    await using tls = await startTlsServer(localhost);
    expect(await failureOf(status(tls.url))).toMatchObject({
      code: "ERR_CONNECT",
      message: expect.stringContaining("option ca"),
      cause: { code: "DEPTH_ZERO_SELF_SIGNED_CERT" },
    });
  });

  test.each<[string, NodeWebSocketOptions]>([
    ["ca, as text", { ca: localhost.cert }],
    ["ca, as bytes", { ca: Buffer.from(localhost.cert) }],
    ["ca, as a list", { ca: [elsewhere.cert, localhost.cert] }],
    ["rejectUnauthorized: false", { rejectUnauthorized: false }],
    ["an agent", { agent: new Agent({ ca: localhost.cert }) }],
  ])("connects with %s", async (_, options) => {
    await using tls = await startTlsServer(localhost);
    expect(await status(tls.url, options)).toEqual({ status: "ready" });
  });

  test("checks the name in the certificate, or the one in servername", async () => {
    await using tls = await startTlsServer(elsewhere);
    const refused = await failureOf(status(tls.url, { ca: elsewhere.cert }));
    expect(refused).toMatchObject({ cause: { code: "ERR_TLS_CERT_ALTNAME_INVALID" } });
    const options = { ca: elsewhere.cert, servername: "exec-server.example" };
    expect(await status(tls.url, options)).toEqual({ status: "ready" });
  });

  test("presents a client certificate", async () => {
    const required = { requestCert: true, rejectUnauthorized: true, ca: visitor.cert };
    await using tls = await startTlsServer({ ...localhost, ...required });
    expect(await failureOf(status(tls.url, { ca: localhost.cert }))).toMatchObject({ code: "ERR_CONNECT" });
    const options = { ca: localhost.cert, cert: visitor.cert, key: visitor.key };
    expect(await status(tls.url, options)).toEqual({ status: "ready" });
    expect(tls.clients).toEqual(["visitor"]);
  });

  test("shows neither a key nor a passphrase that can't be used", async () => {
    const key = "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----";
    const options = { key, cert: visitor.cert, passphrase: "hunter3" };
    const error = await failureOf((async () => webSocket("wss://localhost:1", options))());
    expect(error).toMatchObject({ code: "ERR_INVALID_ARGUMENT" });
    expectNoneShown(error, ["hunter2", "hunter3"]);
  });
});

class CountingAgent extends HttpAgent {
  connections = 0;

  override createConnection(
    options: AgentOptions,
    callback?: (error: Error | null, socket: Socket) => void,
  ): Socket {
    this.connections++;
    // Missing in the types.
    const { createConnection } = HttpAgent.prototype as unknown as CountingAgent;
    return createConnection.call(this, options, callback);
  }
}

test("an agent opens the connections of ws: URLs, and is not used up", async () => {
  await using server = await SocketServer.start();
  server.handle("environment/status", () => ({ status: "ready" }));
  const agent = new CountingAgent();
  expect(await status(server.url, { agent })).toEqual({ status: "ready" });
  expect(await status(server.url, { agent })).toEqual({ status: "ready" });
  expect(agent.connections).toBe(2);
});

test("an agent for the other protocol is an invalid argument", async () => {
  const error = await failureOf(status("wss://localhost:1", { agent: new HttpAgent() }));
  expect(error).toMatchObject({ code: "ERR_INVALID_ARGUMENT" });
});
