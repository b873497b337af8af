import { type ExecProcess, ExecServerClient, type StartOptions, webSocket } from "../../src/index.ts";
import { type Script, type ScriptedConnection, ScriptedServer } from "./scripted-server.ts";

/** Answers every start; what else happens to the process is up to the test. */
export const startsProcesses: Script = {
  onRequest(connection, request) {
    if (request.method === "process/start") {
      connection.answer(request, { processId: request.params?.["processId"] });
    }
  },
};

/** A client, and a process on it whose events the test sends. */
export async function scriptedProcess(options?: StartOptions, script: Script = startsProcesses) {
  const server = await ScriptedServer.start(script);
  const client = await ExecServerClient.connect({ transport: webSocket(server.url) });
  const connection: ScriptedConnection = await server.connection();
  const process: ExecProcess = await client.start(["program"], { processId: "p", ...options });
  return {
    server,
    client,
    connection,
    process,
    output: (seq: number, text: string, stream?: string) => connection.output("p", seq, text, stream),
    exited: (seq: number, exitCode = 0) =>
      connection.notify("process/exited", { processId: "p", seq, exitCode, sandboxDenied: false }),
    closed: (seq: number) => connection.notify("process/closed", { processId: "p", seq }),
    async [Symbol.asyncDispose]() {
      await client.close();
      await server[Symbol.asyncDispose]();
    },
  };
}
