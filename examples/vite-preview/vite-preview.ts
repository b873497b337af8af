/**
 * Vite's dev server on the exec-server's machine, at a port of this one. Each line that is typed is saved there, and the
 * page shows it at once, without a reload.
 *
 *   npm run server
 *   npm start
 *   npx tsx vite-preview.ts ws://127.0.0.1:8080 npx vite
 */
import { createInterface } from "node:readline";
import { type ExecProcess, LazyExecServerClient } from "exec-server-sdk";
import { forwardPort, webSocket } from "exec-server-sdk/node";

const FILES = {
  "index.html": '<!doctype html><h1></h1><script type="module" src="/main.js"></script>\n',
  "main.js": `import { text } from "./text.js";

const show = (text) => { document.querySelector("h1").textContent = text; };
show(text);
import.meta.hot.accept("./text.js", (changed) => show(changed.text));
`,
  "text.js": textFile("Type something."),
};

function textFile(text: string): string {
  return `export const text = ${JSON.stringify(text)};\n`;
}

/** Vite prints its address when it listens. The port is another one where its usual one is taken. */
async function portOf(vite: ExecProcess): Promise<number> {
  let output = "";
  for await (const chunk of vite.stdout) {
    output += Buffer.from(chunk);
    const [, port] = /http:\/\/127\.0\.0\.1:(\d+)/.exec(output) ?? [];
    if (port) return Number(port);
  }
  throw new Error(`Vite has ended: ${output}`);
}

const [url = "ws://127.0.0.1:8080", ...command] = process.argv.slice(2);
await using client = new LazyExecServerClient({ transport: webSocket(url) });

const project = await client.fs.mkdtemp("/tmp/vite-preview-");
for (const [name, text] of Object.entries(FILES)) await client.fs.writeFile(`${project}/${name}`, text);

const vite = await client.start([...(command.length > 0 ? command : ["vite"]), "--host", "127.0.0.1"], {
  cwd: project,
  env: { NO_COLOR: "1" },
  // What it logs later is not read.
  overflow: "drop-oldest",
});
const remotePort = await portOf(vite);
await using forward = await forwardPort(client, { remotePort, onError: console.error });
console.log(`Port ${remotePort} there is ${forward.url} here. Open it, and type lines. Ctrl-D ends.`);

for await (const line of createInterface({ input: process.stdin })) {
  await client.fs.writeFile(`${project}/text.js`, textFile(line));
  console.log("saved");
}
await vite.terminate();
await vite.closed;
await client.fs.rm(project, { recursive: true });
