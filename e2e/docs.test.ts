import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ExecServer, makeCodexHome } from "../test/support/exec-server.ts";
import { Origin } from "../test/support/origin.ts";
import { Postgres } from "../test/support/postgres.ts";
import { PROGRAMS } from "./docs/guides.ts";
import { type Program, partsOf } from "./docs/program.ts";
import { RECIPE_PROGRAMS } from "./docs/recipes.ts";
import { EXAMPLES, NOT_RUN, runnableModules, writeExamples } from "./docs/reference-examples.ts";
import { GUIDES, ROOT, snippets } from "./docs/snippets.ts";

const ALL_PROGRAMS: readonly Program[] = [...PROGRAMS, ...RECIPE_PROGRAMS];
const PAGES = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "examples/README.md", ...GUIDES];

let server: ExecServer;
let origin: Origin;
let postgres: Postgres;
let directory: string;

/** Replaces the addresses and directories of the documentation by those of the test. */
function adapted(code: string, root = directory): string {
  return code
    .replaceAll(/ws:\/\/127\.0\.0\.1:808[01]/g, server.url)
    .replaceAll("http://localhost:3000", origin.url)
    .replaceAll(/(?<=[pP]ort: )3000/g, new URL(origin.url).port)
    .replaceAll("port: 5432", `port: ${postgres.port}`)
    .replaceAll("remotePort: 3000 }); // a", `remotePort: ${new URL(origin.url).port} }); // a`)
    .replaceAll("listen(3000)", "listen(0)")
    .replaceAll(/(?<=")(?=\/(?:src|srv|tmp|work|var\/log|backup))/g, root)
    .replaceAll(/file:\/\/(?=\/(?:src|work))/g, `file://${root}`);
}

/** Makes the directories and files that the documentation uses. */
function makeFiles(root: string): void {
  for (const folder of ["src", "srv", "tmp", "work", "var/log", "backup", "project"])
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
  [server, origin, postgres] = await Promise.all([
    ExecServer.start({ args: ["--concurrent-requests", "8"] }),
    Origin.start(),
    Postgres.start(),
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
  await Promise.all([server, origin, postgres].map((each) => each[Symbol.asyncDispose]()));
});

it("the README has at most 8 kB", () => {
  expect(readFileSync(join(ROOT, "README.md")).length).toBeLessThanOrEqual(8_000);
});

it("the links of the README and the guides lead to files", () => {
  for (const file of PAGES) {
    const text = readFileSync(join(ROOT, file), "utf8");
    const links = [...text.matchAll(/(?<!!)\[[^\]]+\]\(([^):#]+)(?=[)#])/g)].map(([, path = ""]) => path);
    const broken = links.filter((path) => !existsSync(join(ROOT, dirname(file), path)));
    expect(broken, file).toEqual([]);
  }
});

it("the tables of the README and the guides have a line below their head", () => {
  for (const file of PAGES) {
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
    const running = runProgram(join(directory, cwd), join(directory, `${index}.mts`));
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
