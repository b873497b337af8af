import { silence, type TestConnection, type TestRequest } from "../../src/testing.ts";
import { connectedTo, QuietServer, ready } from "./scripted-server.ts";

/** A request with params of any shape. */
export type FileRequest = TestRequest & { readonly params: Readonly<Record<string, unknown>> };

/** A client of a server that opens and closes every file. The test answers reads, writes and metadata. */
export async function scriptedFiles(
  onRequest: (connection: TestConnection, request: FileRequest) => void,
  capabilities = { fileWriteStreaming: true },
) {
  const server = ready(new QuietServer({ environmentInfo: { capabilities } }));
  for (const method of ["fs/readFile", "fs/writeFile", "fs/getMetadata", "fs/readBlock", "fs/writeBlock"]) {
    server.handle(method, (request, connection) => {
      onRequest(connection, request as FileRequest);
      return silence;
    });
  }
  server.handle("fs/open", ({ params }) => ({ handleId: params.handleId }));
  server.handle("fs/close", () => ({}));
  const connected = await connectedTo(server);
  const { client } = connected;
  return {
    ...connected,
    fs: client.fs,
    /** How many requests of a method the server has received, including everything sent so far. */
    async count(method: string): Promise<number> {
      await client.status();
      return server.requests(method).length;
    },
  };
}
