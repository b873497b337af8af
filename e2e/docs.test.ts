import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ExecServer, makeCodexHome } from "../test/support/exec-server.ts";
import { Origin } from "../test/support/origin.ts";
import { EXAMPLES, NOT_RUN, runnableModules, writeExamples } from "./support/reference-examples.ts";
import { snippets } from "./support/snippets.ts";

const ROOT = join(import.meta.dirname, "..");
const CLIENT = `
import { bridge, LazyExecServerClient, messagePort, remotePath, webSocket } from "exec-server-sdk";
import { stdio } from "exec-server-sdk/node";
`;
const CONNECTED = `${CLIENT}
await using client = new LazyExecServerClient({ transport: webSocket("ws://127.0.0.1:8080") });
`;

interface Program {
  readonly chapter: string;
  /** The snippets of the chapter that form the program, by number. */
  readonly snippets: readonly number[];
  /** Further chapters, all of whose snippets follow. */
  readonly with?: readonly string[];
  /** Code around the snippets, which the README leaves to the reader. */
  readonly before?: string;
  readonly after?: string;
  /** What the program reads from its standard input. */
  readonly input?: string;
  /** The expected output. */
  readonly prints?: RegExp;
  readonly isOnlyCompiled?: boolean;
}

const PROGRAMS: readonly Program[] = [
  { chapter: "", snippets: [0], prints: /^Linux|^Darwin/ },
  { chapter: "A command, with its output as it comes", snippets: [0], before: CONNECTED, prints: /built/ },
  {
    chapter: "A job in CI: files up, files down, its exit code",
    snippets: [0],
    after: `
      const { readFileSync } = await import("node:fs");
      console.log(readFileSync("out/sizes", "utf8"));
    `,
    prints: /8 app\.js/,
  },
  {
    chapter: "A shell in the local terminal",
    snippets: [0],
    before: CONNECTED,
    // The test's standard input ends at once, which a terminal's does not.
    input: "echo local $((40 + 2)); exit\n",
    prints: /local 42/,
  },
  {
    chapter: "A service that survives restarts",
    snippets: [0],
    before: `
      import { createServer as createProbe, type AddressInfo } from "node:net";
      ${CONNECTED}
      const probe = createProbe().listen(0, "127.0.0.1");
      await new Promise((resolve) => probe.once("listening", resolve));
      const { port } = probe.address() as AddressInfo;
      await new Promise((resolve) => probe.close(resolve));
    `,
    after: `
      const answer = await fetch(\`http://localhost:\${port}/\`).catch(() => fetch(\`http://localhost:\${port}/\`));
      console.log(await answer.text());
      process.exit();
    `,
    prints: /connected [\s\S]*load average/,
  },
  {
    chapter: "A page",
    snippets: [0],
    before: `${CLIENT}\nconst token = "as printed by the command";`,
    after: "console.log(client.state);",
    prints: /idle/,
  },
  {
    chapter: "docs/connections.md: ",
    snippets: [0],
    before: `${CONNECTED}\nawait client.get();`,
    prints: /connecting first-use[\s\S]*connected/,
  },
  {
    chapter: "docs/connections.md: Credentials",
    snippets: [0],
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
      import { mkdirSync, rmSync, writeFileSync } from "node:fs";
      ${CONNECTED}
      const key = "secret";
      for (const folder of ["/work", "project", "/work/project/dist"]) mkdirSync(folder, { recursive: true });
      writeFileSync("/work/new.json", "{}");
      writeFileSync("project/file", "1");
    `,
    after: `console.log(exact, await client.fs.readFile("/work/copy/file", "utf8"));`,
    prints: /true 1/,
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
      type Asked = { ports: [MessagePort] };
      const ipcMain = new EventEmitter<{ "exec-server-port": [Asked] }>();
      const window = {
        postMessage: (name: "exec-server-port", _: string, ports: [MessagePort]) => ipcMain.emit(name, { ports }),
      };
      const args = ["exec-server", "--listen", "stdio"];
    `,
    after: `
      console.log((await client.run(["echo", "through the port"])).stdout);
      await client.close();
    `,
    prints: /through the port/,
  },
  {
    chapter: "docs/testing.md: ",
    snippets: [0],
    prints: /^clean\n # hello\n\nERR_DISCONNECTED\nsession-2 2/,
  },
  // Nothing listens on these ports.
  { chapter: "docs/ports.md: ", snippets: [0], before: CONNECTED, isOnlyCompiled: true },
  { chapter: "docs/ports.md: In Node", snippets: [0], before: CONNECTED, isOnlyCompiled: true },
  { chapter: "docs/ports.md: In Node", snippets: [1], before: CONNECTED, isOnlyCompiled: true },
  {
    chapter: "docs/ports.md: In tests",
    snippets: [0],
    before: `import { TestServer } from "exec-server-sdk/testing";\nconst server = new TestServer();`,
    isOnlyCompiled: true,
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

/** The chapters and numbers of the snippets of a program. */
function partsOf({ chapter, snippets: numbers, with: more = [] }: Program): [string, number][] {
  const all = snippets();
  const further = more.map((name) => chapter + name);
  return [
    ...numbers.map((n): [string, number] => [chapter, n]),
    ...further.flatMap((name) => (all.get(name) ?? []).map((_, n): [string, number] => [name, n])),
  ];
}

let server: ExecServer;
let origin: Origin;
let directory: string;

/** Replaces the addresses and directories of the documentation by those of the test. */
function adapted(code: string, root = directory): string {
  return code
    .replaceAll("ws://127.0.0.1:8080", server.url)
    .replaceAll("http://localhost:3000", origin.url)
    .replaceAll(/(?<=")(?=\/(?:src|srv|work|var\/log|backup))/g, root)
    .replaceAll(/file:\/\/(?=\/(?:src|work))/g, `file://${root}`);
}

/** Makes the directories and files that the documentation uses. */
function makeFiles(root: string): void {
  for (const folder of ["src", "srv", "var/log", "backup", "project"])
    mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, "var/log/huge.log"), "line\n".repeat(100_000));
  writeFileSync(join(root, "src/package.json"), '{ "scripts": { "build": "echo built" } }');
  writeFileSync(join(root, "project/app.js"), "uploaded");
}

/** Runs a program of the documentation with the environment that it expects. */
function runProgram(cwd: string, file: string, ...args: string[]) {
  const path = [join(ROOT, "node_modules/.bin"), process.env["PATH"]].join(delimiter);
  return promisify(execFile)(process.execPath, ["--import", "tsx", file, ...args], {
    cwd,
    env: { ...process.env, PATH: path, CODEX_HOME: makeCodexHome() },
    timeout: 50_000,
  });
}

beforeAll(async () => {
  [server, origin] = await Promise.all([
    ExecServer.start({ args: ["--concurrent-requests", "8"] }),
    Origin.start(),
  ]);
  origin.answer = (response) => response.end('{"ok":true}');
  mkdirSync(join(ROOT, ".tmp"), { recursive: true });
  directory = mkdtempSync(join(ROOT, ".tmp", "readme-"));
  makeFiles(directory);
  const examplesRoot = join(directory, "examples");
  makeFiles(examplesRoot);
  writeExamples(examplesRoot, (code) => adapted(code, examplesRoot));
  execFileSync("git", ["init", "--quiet", join(directory, "src")]);
  const all = snippets();
  for (const [index, program] of PROGRAMS.entries()) {
    const { before = "", after = "" } = program;
    const code = partsOf(program).map(
      ([chapter, n]) => all.get(chapter)?.[n] ?? "throw new Error('no such snippet')",
    );
    writeFileSync(join(directory, `${index}.mts`), adapted([before, ...code, after].join("\n")));
  }
});

afterAll(async () => {
  rmSync(directory, { recursive: true });
  await Promise.all([server[Symbol.asyncDispose](), origin[Symbol.asyncDispose]()]);
});

it("every TypeScript snippet of the README and the guides is run by this test", () => {
  const run = PROGRAMS.flatMap(partsOf).map((part) => part.join(" "));
  const printed = [...snippets()].flatMap(([chapter, codes]) => codes.map((_, n) => `${chapter} ${n}`));
  expect(run.sort()).toEqual(printed.sort());
});

it("the TypeScript of the README, the guides and the API reference compiles", async () => {
  const config = {
    extends: "../../tsconfig.json",
    // The snippets leave out uses of some variables.
    compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
    include: ["**/*.mts"],
  };
  writeFileSync(join(directory, "tsconfig.json"), JSON.stringify(config));
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, "--project", directory]).catch(
    (error: { stdout: string }) => error,
  );
  expect(stdout).toBe("");
});

const RUNNING = PROGRAMS.filter(({ isOnlyCompiled }) => !isOnlyCompiled);

it.each(RUNNING.map((program) => [program.chapter || "Install", PROGRAMS.indexOf(program)] as const))(
  "the snippets run: %s",
  async (_, index) => {
    const running = runProgram(directory, join(directory, `${index}.mts`));
    const { input } = PROGRAMS[index] as Program;
    if (input !== undefined) running.child.stdin?.end(input);
    const { stdout } = await running;
    expect(stdout).toMatch(PROGRAMS[index]?.prints ?? /^/);
  },
);

it("the examples of the API reference run", async () => {
  const names = EXAMPLES.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(Object.keys(NOT_RUN)));
  const root = join(directory, "examples");
  await runProgram(root, join(root, "run.mts"), ...runnableModules());
});
