/** Values typed by the CommonJS declarations can be passed to functions typed by the ES module declarations. */
import { type ExecServerError, LazyExecServerClient } from "exec-server-sdk";
import { createGateway } from "exec-server-sdk/gateway";
import { client, transport } from "./cjs-typed.cts";
import { commands, files } from "./usage.mts";

await using own = new LazyExecServerClient({ transport });
await commands(client);
await files(own);
createGateway({
  upstream: transport,
  allowedOrigins: ["https://ide.example"],
  authorize: { token: "a-token-of-16-characters" },
});

export const sameClass: LazyExecServerClient = client;
client.onStateChange(({ error }) => thrown(error));

function thrown(error: ExecServerError | undefined): void {
  if (error) throw error;
}
