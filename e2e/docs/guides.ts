import type { Program } from "./program.ts";
import { ROOT } from "./snippets.ts";

const CLIENT = `
import { bridge, LazyExecServerClient, messagePort, remotePath, webSocket } from "exec-server-sdk";
import { stdio } from "exec-server-sdk/node";
`;
const CONNECTED = `${CLIENT}
await using client = new LazyExecServerClient({ transport: webSocket("ws://127.0.0.1:8080") });
`;

/** The programs of the README and of the guides except the recipes. */
export const PROGRAMS: readonly Program[] = [
  { chapter: "", snippets: [0], prints: /^Linux|^Darwin/ },
  {
    chapter: "A job in CI: `ci.mts`",
    snippets: [0],
    cwd: "project",
    after: `
      const { readFileSync } = await import("node:fs");
      console.log("downloaded", readFileSync("out/sizes", "utf8"));
    `,
    prints: /1 files[\s\S]*8 app\.js\ndownloaded 8 app\.js/,
  },
  {
    chapter: "A shell in the local terminal: `shell.mts`",
    snippets: [0],
    // The test's standard input ends at once, which a terminal's does not.
    input: "echo local $((40 + 2)); exit\n",
    prints: /local 42/,
  },
  {
    chapter: "A service that survives restarts: `service.mts`",
    snippets: [0],
    after: `
      import { once } from "node:events";
      import type { AddressInfo } from "node:net";
      await once(service, "listening");
      const answer = await fetch(\`http://localhost:\${(service.address() as AddressInfo).port}/\`);
      console.log(await answer.text());
      process.kill(process.pid, "SIGTERM");
    `,
    prints: /connected [\s\S]*load average[\s\S]*closed/,
  },
  {
    chapter: "docs/connections.md: History",
    snippets: [0],
    before: `${CONNECTED}\nawait client.get();`,
    prints: /connecting first-use[\s\S]*connected/,
  },
  {
    chapter: "docs/connections.md: Another machine",
    snippets: [0],
    before: 'import { writeFileSync } from "node:fs"; writeFileSync("token", "secret\\n");',
    after: "console.log(transport.reconnectable);",
    prints: /true/,
  },
  {
    chapter: "docs/connections.md: Another machine",
    snippets: [1],
    before: "const freshToken = async (_: AbortSignal) => 'token';",
    after: "console.log(transport.reconnectable);",
    prints: /true/,
  },
  {
    chapter: "docs/connections.md: Everything else",
    snippets: [0],
    before: `${CONNECTED}\nawait client.get();`,
  },
  {
    chapter: "docs/files.md: ",
    snippets: [0],
    with: ["Folders in Node", "Archives"],
    before: `
      import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
      ${CONNECTED}
      const key = "secret";
      for (const folder of ["/work", "project", "/work/project/dist"]) mkdirSync(folder, { recursive: true });
      writeFileSync("/work/new.json", "{}");
      writeFileSync("project/file", "1");
    `,
    after: `console.log(exact, await client.fs.readFile("/work/copy/file", "utf8"));`,
    prints: /true 1/,
  },
  {
    chapter: "docs/files.md: Reading, writing, streams",
    snippets: [0],
    before: CONNECTED,
    prints: /^\.git directory\npackage\.json \d+\n[\s\S]*500000\necho built true/,
  },
  {
    chapter: "docs/errors.md: ",
    snippets: [0],
    before: CONNECTED,
    prints: /^ERR_SERVER readFile answered readFile '.*nosuch\.json': /,
  },
  { chapter: "docs/http.md: ", snippets: [0], before: CONNECTED, prints: /200 { ok: true }/ },
  // It would install packages.
  { chapter: "docs/network-policy.md: ", snippets: [0], isOnlyCompiled: true },
  {
    chapter: "docs/gateway.md: ",
    snippets: [0],
    with: ["Limits"],
    before: `
      import { createServer } from "node:http";
      const httpServer = createServer();
      const sessionOf = async (_: string | undefined) => ({ user: "ada", expiresAt: new Date(8.64e15) });
    `,
    after: "console.log([...gateway.pages].length, httpServer.listenerCount('upgrade'));",
    prints: /0 1/,
  },
  {
    chapter: "docs/pages.md: ",
    snippets: [0],
    before: `${CLIENT}
      const [gatewayUrl, token] = ["ws://127.0.0.1:8787", "as printed by the command"];
    `,
    after: "console.log(client.state);",
    prints: /idle/,
  },
  {
    chapter: "docs/pages.md: ",
    snippets: [1],
    before: `
      import { once } from "node:events";
      import { createServer } from "node:http";
      import type { AddressInfo } from "node:net";
      import { LazyExecServerClient } from "exec-server-sdk";
      const hasSession = (cookie: string | undefined) => cookie === "session=1";
      const httpServer = createServer().listen(0, "127.0.0.1");
      await once(httpServer, "listening");
    `,
    after: `
      const { port } = httpServer.address() as AddressInfo;
      const headers = { origin: "https://ide.example", cookie: "session=1" };
      const page = new LazyExecServerClient({ transport: webSocket(\`ws://127.0.0.1:\${port}/exec\`, { headers }) });
      console.log((await page.run(["echo", "through the gateway"])).stdout);
      await page.close();
      await gateway.close();
      httpServer.close();
    `,
    prints: /through the gateway/,
  },
  {
    chapter: "docs/electron-and-workers.md: ",
    snippets: [0, 1],
    before: `${CLIENT}
      import { EventEmitter } from "node:events";
      const page = "file:///app/index.html";
      type Asked = { senderFrame: { url: string } | null; ports: MessagePort[] };
      const ipcMain = new EventEmitter<{ "exec-server-port": [Asked] }>();
      const window = {
        postMessage: (name: "exec-server-port", _: string, ports: MessagePort[]) =>
          ipcMain.emit(name, { senderFrame: { url: page }, ports }),
      };
    `,
    after: `
      console.log((await client.run(["echo", "through the port"])).stdout);
      await client.close();
    `,
    prints: /through the port/,
  },
  {
    chapter: "docs/electron-and-workers.md: Workers and frames",
    snippets: [0, 1],
    before: `
      import { bridge, LazyExecServerClient, messagePort, webSocket as dial } from "exec-server-sdk";
      const [url, token] = ["ws://127.0.0.1:8080", "as printed by the command"];
      // There is no gateway in between, which takes the token.
      const webSocket = (target: string, _: { protocols: string[] }) => dial(target);
      const worker = new EventTarget() as Worker;
      const self = {
        postMessage: (data: string, { transfer }: { transfer: [MessagePort] }) =>
          worker.dispatchEvent(Object.assign(new Event("message"), { data, ports: transfer })),
      };
    `,
    after: `
      console.log((await client.run(["echo", "through the port"])).stdout);
      await client.close();
    `,
    prints: /through the port/,
  },
  {
    chapter: "docs/electron-and-workers.md: The page in development",
    snippets: [0],
    before: `
      import { join } from "node:path";
      import { pathToFileURL } from "node:url";
      const app = { isPackaged: false };
      process.env["ELECTRON_RENDERER_URL"] = "http://localhost:5173";
    `,
    after: "console.log(page);",
    prints: /^http:\/\/localhost:5173\/\n$/,
  },
  {
    chapter: "docs/electron-and-workers.md: The `codex` program in the app",
    snippets: [0],
    before: `
      declare global { namespace NodeJS { interface Process { resourcesPath: string } } }
      const app = { isPackaged: false, getAppPath: () => ${JSON.stringify(ROOT)} };
    `,
    after: `
      const installed = codexPath();
      app.isPackaged = true;
      process.resourcesPath = join(installed, "../../../..");
      const { execFileSync } = await import("node:child_process");
      console.log(codexPath() === installed, execFileSync(installed, ["--version"], { encoding: "utf8" }));
    `,
    prints: /^true codex-cli/,
  },
  {
    chapter: "docs/testing.md: ",
    snippets: [0],
    prints: /^clean\n # hello\n\nERR_DISCONNECTED\nsession-2 2/,
  },
  {
    chapter: "docs/ports.md: ",
    snippets: [0],
    before: CONNECTED,
    after: "await socket.close(); await socket.closed; console.log('closed');",
    prints: /^closed/,
  },
  {
    chapter: "docs/ports.md: In Node",
    snippets: [0],
    before: CONNECTED,
    after: 'await new Promise((resolve) => stream.once("close", resolve));',
    prints: /^{"ok":true}/,
  },
  {
    chapter: "docs/ports.md: In Node",
    snippets: [1],
    before: CONNECTED,
    prints: /^\[ { answer: 42 } \]/,
  },
  {
    chapter: "docs/ports.md: In Node",
    snippets: [2],
    before: CONNECTED,
    prints: /^http:\/\/127\.0\.0\.1:\d+/,
  },
  {
    chapter: "docs/ports.md: In tests",
    snippets: [0],
    before: `
      import { LazyExecServerClient } from "exec-server-sdk";
      import { TestServer } from "exec-server-sdk/testing";
      const server = new TestServer();
    `,
    after: `
      const client = new LazyExecServerClient({ transport: server.transport });
      const port = 5432;
      const socket = await client.connectTcp({ port });
      const writer = socket.writable.getWriter();
      await writer.write(new TextEncoder().encode("echo"));
      await writer.close();
      console.log(await new Response(socket.readable as never).text());
    `,
    prints: /^echo/,
  },
  { chapter: "docs/versions.md: ", snippets: [0], prints: /^0\.\d+\.\d+\ntrue/ },
  // A guide is one program: its examples build on each other.
  {
    chapter: "docs/processes.md: ",
    snippets: [0],
    with: ["Run to the end", "Input and its end", "Signals", "The brake", "Terminals"],
    prints: /^0 \[ '9', '10', '' \]\n1 0\n\d+ lines\none\ntwo\n\nnumber\n143\n6888896\n[\s\S]*30 100/,
  },
];
