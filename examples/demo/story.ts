/**
 * Demonstrates the client on a real exec-server: it connects on first use, streams output, reports the loss of the server
 * and opens one new session. Then a web IDE shows the same in a browser. If `CI` is set, the story opens the page itself.
 */
import { once } from "node:events";
import { LazyExecServerClient } from "exec-server-sdk";
import { webSocket } from "exec-server-sdk/node";
import { LocalExecServer } from "../web-ide/server/exec-server.ts";
import { startIdeServer } from "../web-ide/server/ide-server.ts";
import { makeWorkspace } from "../web-ide/server/workspace.ts";

const started = performance.now();
function print(text: string): void {
  console.log(`${String(Math.round(performance.now() - started)).padStart(6)} ms  ${text}`);
}
function heading(text: string): void {
  console.log(`\n${text}`);
}

heading("1. A real exec-server, and a client that does nothing yet");
await using server = await LocalExecServer.start();
print(`codex exec-server listens on ${server.url}`);

let dials = 0;
const target = () => {
  dials++;
  return server.url;
};
await using lazy = new LazyExecServerClient({ transport: webSocket(target) });
lazy.onStateChange(({ previous, state, sessionId, error }) => {
  print(
    `state: ${previous} -> ${state}${sessionId ? ` (session ${sessionId})` : ""}${error ? ` (${error.code})` : ""}`,
  );
});
print(`the client is ${lazy.state}, after ${dials} dials`);

heading("2. The first use connects; a command streams its output");
const counter = await lazy.start(["sh", "-c", "i=1; while echo tick $i; do i=$((i+1)); sleep 0.2; done"]);
const output = counter[Symbol.asyncIterator]();
const decoder = new TextDecoder();
for (let n = 0; n < 3; n++) {
  const { value } = await output.next();
  print(`output: ${decoder.decode(value?.chunk).trim()}`);
}

heading("3. The server is killed with SIGKILL while the command runs");
await server.kill("SIGKILL");
try {
  for (;;) await output.next();
} catch (error) {
  const { name, code, message, closeCode } = error as Error & { code: string; closeCode: number };
  print(`the old handle fails loudly: ${name} ${code}, close code ${closeCode}`);
  print(`  ${message}`);
}
print(`no automatic reconnect: still ${dials} dial`);

heading("4. While the server is down, 20 callers share one failed attempt");
const failures = await Promise.allSettled(Array.from({ length: 20 }, () => lazy.get()));
const reasons = new Set(failures.map((failure) => (failure as PromiseRejectedResult).reason));
print(`20 callers, ${reasons.size} error object: ${[...reasons][0].message}`);

heading("5. The server is back, and 100 callers use the client at once");
await server.restart();
dials = 0;
const clients = await Promise.all(Array.from({ length: 100 }, () => lazy.get()));
print(`100 callers, ${new Set(clients).size} client, ${dials} dial, session ${clients[0]?.sessionId}`);

heading("6. The new session works; the old handle stays closed");
const { stdout } = await lazy.run(["uname", "-sm"]);
print(`uname says ${stdout.trim()}`);
await counter.terminate().catch((error) => print(`the old handle: ${error.code}, request ${error.delivery}`));

const isShared = new Set(clients).size === 1 && dials === 1 && reasons.size === 1;
heading(isShared ? "One new session for all callers." : "Something is wrong: see above.");
await lazy.close();

heading("7. The same in a browser: files, an editor and a terminal, through the gateway");
const workspace = makeWorkspace();
const ide = await startIdeServer(server, workspace.root);
console.log(ide.url);
let worksInBrowser = true;
if (process.env["CI"]) {
  const { visit } = await import("../../e2e/support/visit.ts");
  const answer = await visit(ide.url, "node src/primes.js 40 | tail -1", "12 primes up to 40");
  print(`in the page's terminal: ${answer}`);
  worksInBrowser = answer.includes("12 primes up to 40");
} else {
  print("open it, press Kill server, and look at the strip above. Ctrl-C ends the demo.");
  await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
}
await ide.close();
workspace.remove();
process.exitCode = isShared && worksInBrowser ? 0 : 1;
