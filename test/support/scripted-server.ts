import { type ClientOptions, ExecServerClient } from "../../src/index.ts";
import { methods } from "../../src/protocol/methods.ts";
import { silence, type TestConnection, TestServer, type TestServerOptions } from "../../src/testing.ts";
import { listen } from "../../src/testing-node.ts";

/** A test server that responds to `initialize` only. Tests add further handlers. */
export class QuietServer extends TestServer {
  constructor(options: TestServerOptions = {}) {
    super({ unhandled: "ignore", ...options });
    for (const method of Object.keys(methods))
      if (method !== "initialize") this.handle(method, () => silence);
  }
}

/** Responds to `environment/status`. When `status()` resolves, the client has received every earlier frame. */
export function ready<Server extends TestServer>(server: Server): Server {
  server.handle("environment/status", () => ({ status: "ready" }));
  return server;
}

/** A `QuietServer` on a real WebSocket. */
export class SocketServer extends QuietServer {
  url = "";
  #close: (() => Promise<void>) | undefined;

  static async start(): Promise<SocketServer> {
    const server = new SocketServer();
    const { url, close } = await listen(server);
    server.url = url;
    server.#close = close;
    return server;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.#close?.();
    this.close();
  }
}

/** Drops every connection during its handshake. Returns a function that stops this. */
export function dropsHandshake(server: TestServer): () => void {
  return server.handle("initialize", (_, connection) => {
    connection.drop();
    return silence;
  });
}

/** A client of an in-memory test server, and the server side of its connection. */
export async function connectedTo<Server extends TestServer>(
  server: Server,
  options: Partial<ClientOptions> = {},
) {
  const client = await ExecServerClient.connect({ transport: server.transport, ...options });
  const connection: TestConnection = await server.connection();
  await connection.request("initialized");
  return {
    server,
    client,
    connection,
    async [Symbol.asyncDispose]() {
      await client.close();
      server.close();
    },
  };
}

/** Sends a chunk of output with the given sequence number. */
export function output(
  connection: TestConnection,
  processId: string,
  seq: number,
  text: string,
  stream = "stdout",
): void {
  const chunk = Buffer.from(text).toString("base64");
  connection.notify("process/output", { processId, seq, stream, chunk });
}
