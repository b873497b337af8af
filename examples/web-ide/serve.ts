/** Starts an exec-server of this machine and the web IDE for it: `npm start`, or `npm start -- /folder` for a folder of yours. */
import { once } from "node:events";
import { LocalExecServer } from "./server/exec-server.ts";
import { startIdeServer } from "./server/ide-server.ts";
import { makeWorkspace } from "./server/workspace.ts";

await using execServer = await LocalExecServer.start();
const [folder] = process.argv.slice(2);
const workspace = folder ? undefined : makeWorkspace();
const ide = await startIdeServer(execServer, folder ?? workspace?.root ?? "/");
console.log(`The web IDE is at ${ide.url}. Ctrl-C ends it.`);
await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
await ide.close();
workspace?.remove();
