import { ExecServerClient, webSocket } from "../../src/index.ts";
import { ExecServer, type ExecServerOptions } from "./exec-server.ts";

/** A client with its own real server. Disposing closes both. */
export async function realClient(options?: ExecServerOptions) {
  const server = await ExecServer.start(options);
  const client = await ExecServerClient.connect({ transport: webSocket(server.url) });
  return {
    server,
    client,
    async [Symbol.asyncDispose]() {
      await client.close();
      await server[Symbol.asyncDispose]();
    },
  };
}
