import { execFile, execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { delimiter, dirname, join } from "node:path";
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
  /** The program's working directory. @default that of all programs */
  readonly cwd?: string;
  /** What the program reads from its standard input. */
  readonly input?: string;
  /** The expected output. */
  readonly prints?: RegExp;
  readonly isOnlyCompiled?: boolean;
}

const PROGRAMS: readonly Program[] = [
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

/** What the recipes print, by chapter. Each is a program after the lines at the top of their guide. */
const RECIPES: Readonly<Record<string, Pick<Program, "prints" | "before" | "after">>> = {
  "A pipeline": { prints: /^1\n/ },
  Variables: { prints: /^STAGE=test\n\n$/ },
  "An exit code that is no error": { prints: /^2 ls: / },
  "Each line of output with a prefix": { prints: /^\[stdout\] built$/m },
  "A limit of time, and Ctrl-C": { prints: /^took too long, after started\n/ },
  "A local file as input": { prints: /^root$/m },
  "The end of a log file, as it grows": { prints: /^line\nline\n$/ },
  "Many commands, four at a time": { prints: /^(hello (ada|bob|eve|kim|lea|max)\n){6}$/ },
  "Many servers": {
    prints: /^((one|two|three)\n){3}\[\n( +{ status: 'fulfilled', value: undefined },?\n){2}\]/,
  },
  "Many files": { prints: /^1 files/ },
  "A bar of progress": { prints: /#{40} 500000 bytes\n500000/ },
  "Build there, in a directory that goes away": {
    after: `
      import { readFileSync } from "node:fs";
      console.log(readFileSync("dist/app.js", "utf8"), await client.fs.exists(there));
    `,
    prints: /^uploaded false/,
  },
  "Build there whenever a file changes here": {
    before: `
      import { writeFileSync } from "node:fs";
      const print = console.log;
      console.log = (...line) => {
        print(...line);
        process.exit();
      };
      setInterval(() => writeFileSync("project/app.js", "uploaded"), 50);
    `,
    prints: /^app\.js 8 app\.js/,
  },
  "A server there, used from here": { prints: /^200 200/ },
  "Again, but only what was not sent": { prints: /^deployed/ },
  "A test without a server": { prints: /^# pass 1$|pass 1$/m },
};

/** The programs, and the recipes as further ones. */
const ALL_PROGRAMS: readonly Program[] = [
  ...PROGRAMS,
  ...Object.entries(RECIPES).map(([title, expected]) => ({
    chapter: `docs/recipes.md: ${title}`,
    snippets: [0],
    ...expected,
    before: `${snippets().get("docs/recipes.md: ")?.[0]}${expected.before ?? ""}`,
  })),
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
    .replaceAll("remotePort: 3000 }); // a", `remotePort: ${new URL(origin.url).port} }); // a`)
    .replaceAll("listen(3000)", "listen(0)")
    .replaceAll(/(?<=")(?=\/(?:src|tmp|work|var\/log|backup))/g, directory)
    .replaceAll("file:///src", `file://${directory}/src`);
}

beforeAll(async () => {
  [server, origin] = await Promise.all([
    ExecServer.start({ args: ["--concurrent-requests", "8"] }),
    Origin.start(),
  ]);
  origin.answer = (response) => response.end('{"ok":true}');
  mkdirSync(join(ROOT, ".tmp"), { recursive: true });
  directory = mkdtempSync(join(ROOT, ".tmp", "readme-"));
  for (const folder of ["src", "tmp", "work", "var/log", "backup"])
    mkdirSync(join(directory, folder), { recursive: true });
  writeFileSync(join(directory, "var/log/huge.log"), "line\n".repeat(100_000));
  writeFileSync(join(directory, "src/package.json"), '{ "scripts": { "build": "echo built" } }');
  mkdirSync(join(directory, "project"));
  writeFileSync(join(directory, "project/app.js"), "uploaded");
  execFileSync("git", ["init", "--quiet", join(directory, "src")]);
  const all = snippets();
  for (const [index, program] of ALL_PROGRAMS.entries()) {
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

it("the README has at most 8 kB", () => {
  expect(readFileSync(join(ROOT, "README.md")).length).toBeLessThanOrEqual(8_000);
});

it("the links of the README and the guides lead to files", () => {
  for (const file of ["README.md", "CONTRIBUTING.md", "SECURITY.md", ...GUIDES]) {
    const text = readFileSync(join(ROOT, file), "utf8");
    const links = [...text.matchAll(/(?<!!)\[[^\]]+\]\(([^):#]+)/g)].map(([, path = ""]) => path);
    const broken = links.filter((path) => !existsSync(join(ROOT, dirname(file), path)));
    expect(broken, file).toEqual([]);
  }
});

it("the tables of the README and the guides have a line below their head", () => {
  for (const file of ["README.md", "CONTRIBUTING.md", "SECURITY.md", ...GUIDES]) {
    const text = readFileSync(join(ROOT, file), "utf8");
    const heads = [...text.matchAll(/(?<=\n\n)\|.*\n(.*)/g)].map(([, below = ""]) => below);
    expect(heads, file).toEqual(heads.map(() => expect.stringMatching(/^\|[ :|-]+\|$/)));
  }
});

it("the page of the README is that of the example", () => {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const [, page] = /^```tsx\n([\s\S]*?)^```$/m.exec(readme) ?? [];
  expect(page).toBe(readFileSync(join(ROOT, "examples/react/src/App.tsx"), "utf8"));
});

it("every TypeScript snippet of the README and the guides is run by this test", () => {
  // The lines at the top of the recipes are part of each of them.
  const run = ["docs/recipes.md:  0", ...ALL_PROGRAMS.flatMap(partsOf).map((part) => part.join(" "))];
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

const RUNNING = ALL_PROGRAMS.filter(({ isOnlyCompiled }) => !isOnlyCompiled);

it.each(RUNNING.map((program) => [program.chapter || "Install", ALL_PROGRAMS.indexOf(program)] as const))(
  "the snippets run: %s",
  async (_, index) => {
    const { cwd = "", input, prints = /^/ } = ALL_PROGRAMS[index] as Program;
    const path = [join(ROOT, "node_modules/.bin"), process.env["PATH"]].join(delimiter);
    const running = promisify(execFile)(
      process.execPath,
      ["--import", "tsx", join(directory, `${index}.mts`)],
      {
        cwd: join(directory, cwd),
        env: { ...process.env, PATH: path, CODEX_HOME: makeCodexHome() },
        timeout: 50_000,
      },
    );
    if (input !== undefined) running.child.stdin?.end(input);
    const { stdout } = await running;
    expect(stdout).toMatch(prints);
  },
);

it("the examples of the API reference run", async () => {
  const names = EXAMPLES.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(Object.keys(NOT_RUN)));
  const root = join(directory, "examples");
  await runProgram(root, join(root, "run.mts"), ...runnableModules());
});
