import { silence, type TestConnection, type TestRequest } from "../../src/testing.ts";
import { connectedTo, QuietServer, ready } from "./scripted-server.ts";

/** A request whose params are nobody's business. */
export type FileRequest = TestRequest & { readonly params: Readonly<Record<string, unknown>> };

/** A client on a server that opens and closes every file and is ready; what happens to blocks is up to the test. */
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
  const it = await connectedTo(server);
  return {
    ...it,
    fs: it.client.fs,
    /** How often a method has been asked for, once everything that was sent by now has arrived. */
    async count(method: string): Promise<number> {
      await it.client.status();
      return server.requests(method).length;
    },
  };
}
