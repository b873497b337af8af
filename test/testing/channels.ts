import { LazyExecServerClient, webSocket } from "../../src/index.ts";
import { stdio } from "../../src/node.ts";
import { TestServer } from "../../src/testing.ts";
import { listen, serveStdio } from "../../src/testing-node.ts";
import type { Transport } from "../../src/transport/transport.ts";

interface Route extends AsyncDisposable {
  readonly transport: Transport;
  /** Whether raw bytes can be sent below the level of frames. */
  readonly hasBytes: boolean;
}

async function inMemory(server: TestServer): Promise<Route> {
  return { transport: server.transport, hasBytes: false, async [Symbol.asyncDispose]() {} };
}

async function overWebSocket(server: TestServer): Promise<Route> {
  const listening = await listen(server);
  return {
    transport: webSocket(listening.url),
    hasBytes: true,
    [Symbol.asyncDispose]: () => listening.close(),
  };
}

async function overStdio(server: TestServer): Promise<Route> {
  const served = await serveStdio(server);
  return { transport: stdio(served), hasBytes: true, [Symbol.asyncDispose]: () => served.close() };
}

/** Every built-in channel to a test server. */
export const CHANNELS = [
  ["in memory", inMemory],
  ["over a WebSocket", overWebSocket],
  ["over stdio", overStdio],
] as const;

/** A connected lazy client of a test server, and the server's end of its connection. */
export async function connected(open: (server: TestServer) => Promise<Route>, server = new TestServer()) {
  const { transport, hasBytes, [Symbol.asyncDispose]: release } = await open(server);
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
