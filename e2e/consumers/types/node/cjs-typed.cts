import { LazyExecServerClient, webSocket } from "exec-server-sdk";
import { stdio } from "exec-server-sdk/node";

export const client = new LazyExecServerClient({ transport: webSocket("ws://127.0.0.1:1") });
export const transport = stdio({ command: "codex" });
