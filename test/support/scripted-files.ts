import { ExecServerClient, webSocket } from "../../src/index.ts";
import { type Received, type ScriptedConnection, ScriptedServer } from "./scripted-server.ts";

/** A client on a server that opens and closes every file and is ready; what happens to blocks is up to the test. */
export async function scriptedFiles(
  onRequest: (connection: ScriptedConnection, request: Received) => void,
  capabilities = { fileWriteStreaming: true },
) {
  const server = await ScriptedServer.start({
    onInitialize: (connection, request) =>
      connection.answer(request, {
        sessionId: connection.sessionId,
        environmentInfo: { platformOs: "linux", capabilities },
      }),
    onRequest(connection, request) {
      if (request.method === "environment/status") connection.answer(request, { status: "ready" });
      else if (request.method === "fs/open") {
        connection.answer(request, { handleId: request.params?.["handleId"] });
      } else if (request.method === "fs/close") connection.answer(request, {});
      else onRequest(connection, request);
    },
  });
  const client = await ExecServerClient.connect({ transport: webSocket(server.url) });
  const connection = await server.connection();
  return {
    client,
    fs: client.fs,
    connection,
    /** How often a method has been asked for, once everything that was sent by now has arrived. */
    async count(method: string): Promise<number> {
      await client.status();
      return connection.received.filter((message) => message.method === method).length;
    },
    async [Symbol.asyncDispose]() {
      await client.close();
      await server[Symbol.asyncDispose]();
    },
  };
}
