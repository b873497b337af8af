import type { ExecProcess, StartOptions } from "../../src/index.ts";
import type { TestServer } from "../../src/testing.ts";
import { connectedTo, output, QuietServer } from "./scripted-server.ts";

/** Responds to every `process/start`. The test sends the events of the process. */
export function startsProcesses<Server extends TestServer>(server: Server): Server {
  server.handle("process/start", ({ params }) => ({ processId: params.processId }));
  return server;
}

/** A client with a process whose events the test sends. */
export async function scriptedProcess(options?: StartOptions, server = startsProcesses(new QuietServer())) {
  const { client, connection, ...rest } = await connectedTo(server);
  const process: ExecProcess = await client.start(["program"], {
    processId: "p",
    signals: false,
    ...options,
  });
  return {
    ...rest,
    client,
    connection,
    process,
    output: (seq: number, text: string, stream?: string) => output(connection, "p", seq, text, stream),
    exited: (seq: number, exitCode = 0) =>
      connection.notify("process/exited", { processId: "p", seq, exitCode, sandboxDenied: false }),
    closed: (seq: number) => connection.notify("process/closed", { processId: "p", seq }),
  };
}
