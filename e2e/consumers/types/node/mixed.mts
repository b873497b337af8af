/** What CommonJS declarations type can be handed to what ES module declarations type. */
import { type ExecServerError, LazyExecServerClient } from "exec-server-sdk";
import { createGateway } from "exec-server-sdk/gateway";
import { client, transport } from "./cjs-typed.cts";
import { commands, files } from "./story.mts";

await using own = new LazyExecServerClient({ transport });
await commands(client);
await files(own);
createGateway({ upstream: transport, allowedOrigins: ["https://ide.example"], authorize: { token: "t" } });

export const sameClass: LazyExecServerClient = client;
client.onStateChange(({ error }) => thrown(error));

function thrown(error: ExecServerError | undefined): void {
  if (error) throw error;
}
