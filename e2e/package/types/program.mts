/** An ES module that hands what it has to a CommonJS library, and takes from it. */
import { type ExecProcess, ExecServerClient, LazyExecServerClient, type ServerError } from "exec-server-sdk";
import { createGateway } from "exec-server-sdk/gateway";
import { stdio, webSocket } from "exec-server-sdk/node";
import type { Library } from "./library.cts";

export async function mix(library: Library, process: ExecProcess, error: ServerError): Promise<void> {
  const lazyClient = new LazyExecServerClient({ transport: library.ownTransport });
  const client = await ExecServerClient.connect({ transport: library.ownTransport });
  library.environment(lazyClient);
  library.environment(client);
  library.lazyClient(lazyClient);
  library.client(client);
  library.process(process);
  library.transport(stdio({ command: "codex" }));
  library.error(error);
  library.serverError(error);
  library.gateway(
    createGateway({ upstream: webSocket("ws://x/"), allowedOrigins: [], authorize: () => true }),
  );
}
