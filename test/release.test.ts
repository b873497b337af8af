import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";

const SCRIPT = join(import.meta.dirname, "../.ci/release.ts");
const TSX = import.meta.resolve("tsx");

let project: string;
const file = (name: string): string => join(project, name);
const git = (...args: string[]): string =>
  execFileSync("git", args, { cwd: project, encoding: "utf8" }).trim();
const write = (name: string, value: unknown): void => writeFileSync(file(name), JSON.stringify(value));
const commit = (): string => git("commit", "--quiet", "--all", "--message", "change");

/** Runs the script in the project. Resolves with all of its output. */
async function release(...args: string[]): Promise<string> {
  const command = ["--import", TSX, SCRIPT, ...args];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, command, { cwd: project }).catch(
    (error) => error,
  );
  return stdout + stderr;
}

const MANIFEST = {
  name: "small",
  version: "0.1.0",
  workspaces: ["examples/*"],
  devDependencies: { small: "file:." },
  scripts: { test: "echo tested", build: "echo built" },
  repository: { url: "git+https://github.com/someone/small.git" },
};

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), "release-"));
  git("init", "--quiet", "--initial-branch", "main");
  git("config", "user.email", "test@example.com");
  git("config", "user.name", "test");
  mkdirSync(file("examples/one"), { recursive: true });
  mkdirSync(file("examples/deploy"));
  write("package.json", MANIFEST);
  write("package-lock.json", { name: "small", lockfileVersion: 3, packages: {} });
  write("examples/one/package.json", { name: "one", private: true, dependencies: { small: "^0.1.0" } });
  writeFileSync(
    file("CHANGELOG.md"),
    "# Changelog\n\n## 0.2.0 (unreleased)\n\n- New.\n\n## 0.1.0 (2026-01-01)\n",
  );
  writeFileSync(file(".gitignore"), ".tmp/\nnode_modules\n");
  git("add", ".");
  commit();
});
afterEach(() => rmSync(project, { recursive: true }));

it("tests, sets version and date, packs, commits and tags", async () => {
  expect(await release("0.2.0")).toMatch(/tested[\s\S]*built[\s\S]*Made v0\.2\.0\./);
  const today = new Date().toISOString().slice(0, 10);
  expect(readFileSync(file("CHANGELOG.md"), "utf8")).toContain(`## 0.2.0 (${today})\n\n- New.`);
  const versions = ["package.json", "package-lock.json"].map(
    (name) => JSON.parse(readFileSync(file(name), "utf8")).version,
  );
  expect(versions).toEqual(["0.2.0", "0.2.0"]);
  expect(JSON.parse(readFileSync(file("examples/one/package.json"), "utf8")).dependencies.small).toBe(
    "^0.2.0",
  );
  expect(readdirSync(file(".tmp/release"))).toEqual(["small-0.2.0.tgz"]);
  expect(git("status", "--porcelain")).toBe("");
  expect(git("tag", "--points-at", "HEAD")).toBe("v0.2.0");
}, 60_000);

it("refuses what is not ready, and changes nothing", async () => {
  const before = git("rev-parse", "HEAD");
  expect(await release()).toContain("expected a version such as 0.2.0, got none");
  expect(await release("0.3.0")).toContain('CHANGELOG.md has no chapter "## 0.3.0 (unreleased)"');

  writeFileSync(file("examples/deploy/new"), "");
  expect(await release("0.2.0")).toContain("the working tree has changes that are not committed");
  rmSync(file("examples/deploy/new"));
  git("tag", "v0.2.0");
  expect(await release("0.2.0")).toContain("the tag v0.2.0 exists");
  git("checkout", "--quiet", "-b", "other");
  expect(await release("0.2.0")).toContain("the branch is not main");
  git("checkout", "--quiet", "main");
  expect(git("rev-parse", "HEAD")).toBe(before);

  write("package.json", { ...MANIFEST, repository: { url: "git+https://github.com/OWNER/small.git" } });
  commit();
  expect(await release("0.2.0")).toContain("repository.url in package.json still says OWNER");
  git("tag", "--delete", "v0.2.0");
  write("package.json", { ...MANIFEST, scripts: { test: "exit 1" } });
  commit();
  expect(await release("0.2.0")).not.toContain("Made");
  expect(git("status", "--porcelain")).toBe("");
}, 60_000);
