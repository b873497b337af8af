import { type ClientOptions, ExecServerClient } from "../../src/index.ts";
import { methods } from "../../src/protocol/methods.ts";
import { silence, type TestConnection, TestServer, type TestServerOptions } from "../../src/testing.ts";
import { listen } from "../../src/testing-node.ts";

/** A test server that shakes hands and answers nothing else before a test says so. */
export class QuietServer extends TestServer {
  constructor(options: TestServerOptions = {}) {
    super({ unhandled: "ignore", ...options });
    for (const method of Object.keys(methods))
      if (method !== "initialize") this.handle(method, () => silence);
  }
}

/** Answers every status, by which a test learns that all that was sent before has arrived. */
export function ready<Server extends TestServer>(server: Server): Server {
  server.handle("environment/status", () => ({ status: "ready" }));
  return server;
}

/** The same on a real socket. */
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

/** Breaks every connection at its handshake. Returns what lifts that. */
export function dropsHandshake(server: TestServer): () => void {
  return server.handle("initialize", (_, connection) => {
    connection.drop();
    return silence;
  });
}

/** A client of a test server in memory, and the server's end of its connection. */
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

/** Output with a sequence number of the test's own. */
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
