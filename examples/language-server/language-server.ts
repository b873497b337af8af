/**
 * A language server that runs on the exec-server's machine and speaks over its standard input and output, used with the
 * protocol library of VS Code.
 *
 *   npm run server
 *   npm start
 *   npx tsx language-server.ts ws://127.0.0.1:8080 /src/project typescript-language-server --stdio
 */
import { Readable, Writable } from "node:stream";
import type { WritableStream } from "node:stream/web";
import { LazyExecServerClient, remotePath } from "exec-server-sdk";
import { webSocket } from "exec-server-sdk/node";
import {
  createProtocolConnection,
  DefinitionRequest,
  DidOpenTextDocumentNotification,
  ExitNotification,
  HoverRequest,
  InitializedNotification,
  InitializeRequest,
  type Location,
  ShutdownRequest,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-languageserver-protocol/node";

/** The language server of TypeScript, from the registry. It needs the TypeScript that has a `tsserver`. */
const DEFAULT_SERVER =
  "npx -y -p typescript@5 -p typescript-language-server typescript-language-server --stdio".split(" ");

const [url = "ws://127.0.0.1:8080", given, ...command] = process.argv.slice(2);
const text = 'const greeting = "hello";\nconsole.log(greeting);\n';

await using client = new LazyExecServerClient({ transport: webSocket(url) });
const folder = given ?? (await client.fs.mkdtemp("/tmp/project-"));
const path = remotePath.join(folder, "hello.ts");
await client.fs.writeFile(path, text);

const server = await client.start(command.length > 0 ? command : DEFAULT_SERVER, {
  stdin: "pipe",
  cwd: folder,
});
// Its log. Unread, it would be kept.
void server.stderr.pipeTo(new globalThis.WritableStream()).catch(() => {});

const connection = createProtocolConnection(
  new StreamMessageReader(Readable.from(server.stdout)),
  new StreamMessageWriter(Writable.fromWeb(server.stdin as WritableStream)),
);
connection.listen();

const rootUri = `file://${folder}`;
const { serverInfo } = await connection.sendRequest(InitializeRequest.type, {
  // An id of another machine: the server would end when no process has it there.
  processId: null,
  rootUri,
  workspaceFolders: [{ uri: rootUri, name: "project" }],
  capabilities: {},
});
await connection.sendNotification(InitializedNotification.type, {});
console.log("server:", serverInfo?.name ?? "without a name");

const uri = `file://${path}`;
await connection.sendNotification(DidOpenTextDocumentNotification.type, {
  textDocument: { uri, languageId: "typescript", version: 1, text },
});
const place = { textDocument: { uri }, position: { line: 1, character: 14 } };
const hover = await connection.sendRequest(HoverRequest.type, place);
console.log("hover:", JSON.stringify(hover?.contents));
const definition = (await connection.sendRequest(DefinitionRequest.type, place)) as Location[];
console.log("defined in line", (definition[0]?.range.start.line ?? -1) + 1);

await connection.sendRequest(ShutdownRequest.type);
await connection.sendNotification(ExitNotification.type);
// The end of the writer is the end of the server's input.
connection.end();
console.log("exit code:", (await server.closed).exitCode);
connection.dispose();
