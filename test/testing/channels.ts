import { LazyExecServerClient, webSocket } from "../../src/index.ts";
import { stdio } from "../../src/node.ts";
import { TestServer } from "../../src/testing.ts";
import { listen, serveStdio } from "../../src/testing-node.ts";
import type { Transport } from "../../src/transport/transport.ts";

interface Way extends AsyncDisposable {
  readonly transport: Transport;
  /** Whether bytes can be cut within a frame. */
  readonly hasBytes: boolean;
}

async function inMemory(server: TestServer): Promise<Way> {
  return { transport: server.transport, hasBytes: false, async [Symbol.asyncDispose]() {} };
}

async function overWebSocket(server: TestServer): Promise<Way> {
  const listening = await listen(server);
  return {
    transport: webSocket(listening.url),
    hasBytes: true,
    [Symbol.asyncDispose]: () => listening.close(),
  };
}

async function overStdio(server: TestServer): Promise<Way> {
  const served = await serveStdio(server);
  return { transport: stdio(served), hasBytes: true, [Symbol.asyncDispose]: () => served.close() };
}

/** Every way to a test server. */
export const WAYS = [
  ["in memory", inMemory],
  ["over a WebSocket", overWebSocket],
  ["over stdio", overStdio],
] as const;

/** A lazy client that is connected to a test server, and the server's end of that. */
export async function connected(way: (server: TestServer) => Promise<Way>, server = new TestServer()) {
  const { transport, hasBytes, [Symbol.asyncDispose]: release } = await way(server);
  const lazy = new LazyExecServerClient({ transport });
  const client = await lazy.get();
  const connection = await server.connection();
  await connection.request("initialized");
  return {
    server,
    lazy,
    client,
    connection,
    hasBytes,
    async [Symbol.asyncDispose]() {
      await lazy.close();
      await release();
      server.close();
    },
  };
}
