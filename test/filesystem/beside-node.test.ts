import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import * as nodeFs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { RemoteFileSystem } from "../../src/index.ts";
import { realFiles } from "../support/remote-files.ts";

/** The methods that both have. Their options are those of Node. */
type Fs = Pick<
  typeof nodeFs,
  | "readFile"
  | "writeFile"
  | "appendFile"
  | "rename"
  | "chmod"
  | "symlink"
  | "readlink"
  | "lstat"
  | "mkdtemp"
  | "mkdir"
  | "rm"
  | "cp"
  | "realpath"
  | "stat"
  | "readdir"
>;
type Call = (fs: Fs, at: (name: string) => string) => Promise<unknown>;

/** What the SDK does instead, and why. */
interface Difference {
  readonly outcome: unknown;
  readonly why: string;
}

const ODD_NAMES = [
  "a b",
  "100%",
  "%41",
  "a#b",
  "a?b",
  "new\nline",
  "tab\tin",
  "carriage\r",
  "é",
  "e\u0301",
  "😀",
  "-rf",
  "--",
  " ",
  "back\\slash",
  "*",
  "'\"`$HOME",
  "...",
  "file:x",
  "C:",
  "__proto__",
  "\u0001",
  "a&b;c",
  "n".repeat(255),
];

function makeTree(root: string): void {
  mkdirSync(join(root, "dir/sub"), { recursive: true });
  mkdirSync(join(root, "empty-dir"));
  mkdirSync(join(root, "other/sub"), { recursive: true });
  writeFileSync(join(root, "file"), "content\n");
  writeFileSync(join(root, "second"), "second\n");
  writeFileSync(join(root, "empty"), "");
  writeFileSync(join(root, "dir/inside"), "inside\n");
  writeFileSync(join(root, "dir/sub/deep"), "deep\n");
  writeFileSync(join(root, "other/inside"), "other\n");
  symlinkSync(join(root, "file"), join(root, "link"));
  symlinkSync(join(root, "dir"), join(root, "dir-link"));
  symlinkSync(join(root, "nowhere"), join(root, "broken"));
  symlinkSync("loop", join(root, "loop"));
  mkdirSync(join(root, "odd"));
  for (const name of ODD_NAMES) writeFileSync(join(root, "odd", name), name);
}

/** Every path with its type and contents. */
function treeOf(root: string): string[] {
  const found: string[] = [];
  const visit = (path: string): void => {
    for (const name of readdirSync(join(root, path)).sort()) {
      const inside = join(path, name);
      const stats = lstatSync(join(root, inside));
      const mode = (stats.mode & 0o777).toString(8);
      if (stats.isSymbolicLink())
        found.push(`${inside} -> ${readlinkSync(join(root, inside)).replace(root, "ROOT")}`);
      else if (stats.isDirectory()) found.push(`${inside}/ ${mode}`);
      else found.push(`${inside} ${mode} ${readFileSync(join(root, inside), "base64").slice(0, 80)}`);
      if (stats.isDirectory()) visit(inside);
    }
  };
  visit("");
  return found;
}

const CATEGORIES: Readonly<Record<string, string>> = {
  ENOENT: "not-found",
  EEXIST: "already-exists",
  ERR_FS_CP_EEXIST: "already-exists",
  EISDIR: "not-a-file",
  ENOTDIR: "not-a-directory",
  ENOTEMPTY: "not-empty",
};

/** The value, with the root replaced, or the category of the error. */
async function outcomeOf(root: string, work: Promise<unknown>): Promise<unknown> {
  try {
    const value = await work;
    if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
    return JSON.parse(JSON.stringify(value ?? null).replaceAll(root, "ROOT"));
  } catch (error) {
    const { code = "", kind } = error as { code?: string; kind?: string };
    return `rejects: ${CATEGORIES[code] ?? (kind === "invalid" ? undefined : kind) ?? "refused"}`;
  }
}

const REFUSED = "rejects: refused";

let real: Awaited<ReturnType<typeof realFiles>>;
const roots: string[] = [];
beforeAll(async () => {
  real = await realFiles();
});
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true });
});
afterAll(() => real[Symbol.asyncDispose]());

function makeRoot(): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "beside-")));
  roots.push(root);
  makeTree(root);
  return root;
}

async function compare(call: Call, difference?: Difference): Promise<void> {
  const [ours, nodes] = [makeRoot(), makeRoot()];
  // The types of both are compatible enough for the calls of the table.
  const remote = real.fs as RemoteFileSystem as unknown as Fs;
  const outcome = await outcomeOf(
    ours,
    call(remote, (name) => `${ours}/${name}`),
  );
  const expected = await outcomeOf(
    nodes,
    call(nodeFs, (name) => `${nodes}/${name}`),
  );
  if (difference) {
    // A difference that has gone leaves the table.
    expect({ outcome, tree: treeOf(ours) }).not.toEqual({ outcome: expected, tree: treeOf(nodes) });
    expect(outcome).toEqual(difference.outcome);
    if (outcome === REFUSED) {
      const untouched = makeRoot();
      expect(treeOf(ours)).toEqual(treeOf(untouched));
    }
    return;
  }
  expect(outcome).toEqual(expected);
  expect(treeOf(ours)).toEqual(treeOf(nodes));
}

const sorted = <T>(entries: readonly T[]): T[] =>
  [...entries].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

const typesIn = async (fs: Fs, path: string, recursive = false) =>
  sorted(
    (await fs.readdir(path, { withFileTypes: true, recursive })).map((entry) => [
      entry.name,
      entry.parentPath.replace(/\/$/, ""),
      entry.isFile(),
      entry.isDirectory(),
      entry.isSymbolicLink(),
    ]),
  );

const statsAt = async (fs: Fs, path: string) => {
  const stats = await fs.stat(path);
  return [stats.isFile(), stats.isDirectory(), stats.isFile() ? stats.size : 0, stats.mtime instanceof Date];
};

const linkStatsAt = async (fs: Fs, path: string) => {
  const stats = await fs.lstat(path);
  return [
    stats.isFile(),
    stats.isDirectory(),
    stats.isSymbolicLink(),
    stats.isDirectory() ? 0 : stats.size,
    Math.floor(stats.mtimeMs / 10_000) <= Math.floor(Date.now() / 10_000),
  ];
};

/** The shape of a new directory below a prefix: whether it has the prefix, its length, its mode. */
const temporaryAt = async (fs: Fs, prefix: string) => {
  const path = await fs.mkdtemp(prefix);
  const { mode } = await nodeFs.stat(path);
  await nodeFs.rmdir(path);
  return [path.startsWith(prefix), /^\w{6}$/.test(path.slice(prefix.length)), mode];
};

async function* pieces(...all: (string | Uint8Array)[]): AsyncGenerator<string | Uint8Array> {
  yield* all;
}

const LARGE = Buffer.alloc(3 * 1024 * 1024 + 5, "large");

const SAME: readonly (readonly [name: string, call: Call])[] = [
  ["readFile of a file", (fs, at) => fs.readFile(at("file"))],
  ["readFile as text", (fs, at) => fs.readFile(at("file"), "utf8")],
  ["readFile with null", (fs, at) => fs.readFile(at("file"), null)],
  ["readFile with options", (fs, at) => fs.readFile(at("file"), { encoding: "utf8", flag: "r" })],
  ["readFile with a null encoding", (fs, at) => fs.readFile(at("file"), { encoding: null })],
  ["readFile of an empty file", (fs, at) => fs.readFile(at("empty"))],
  ["readFile through a link", (fs, at) => fs.readFile(at("link"), "utf8")],
  ["readFile of a missing file", (fs, at) => fs.readFile(at("none"))],
  ["readFile of a link without a target", (fs, at) => fs.readFile(at("broken"))],
  ["readFile of a link to itself", (fs, at) => fs.readFile(at("loop"))],
  ["readFile of a directory", (fs, at) => fs.readFile(at("dir"))],
  ["readFile below a file", (fs, at) => fs.readFile(at("file/x"))],
  ["readFile of a name that is too long", (fs, at) => fs.readFile(at("n".repeat(256)))],
  ["readFile of a file in /proc", (fs) => fs.readFile("/proc/version", "utf8")],
  ["readFile with the encoding of a typo", (fs, at) => fs.readFile(at("file"), "utf9" as never)],
  ["writeFile of a new file", (fs, at) => fs.writeFile(at("new"), "new")],
  ["writeFile over a file", (fs, at) => fs.writeFile(at("file"), "x")],
  ["writeFile with options", (fs, at) => fs.writeFile(at("file"), "é", { encoding: "utf8", flag: "w" })],
  ["writeFile with null", (fs, at) => fs.writeFile(at("file"), "x", null)],
  ["writeFile of nothing", (fs, at) => fs.writeFile(at("file"), "")],
  ["writeFile of a view", (fs, at) => fs.writeFile(at("new"), new Uint16Array([1, 2, 3]).subarray(1))],
  ["writeFile of large data", (fs, at) => fs.writeFile(at("new"), LARGE)],
  ["writeFile of pieces", (fs, at) => fs.writeFile(at("new"), pieces("one,", new Uint8Array([50]), ",€"))],
  ["writeFile of no pieces", (fs, at) => fs.writeFile(at("file"), pieces())],
  ["writeFile of a stream", (fs, at) => fs.writeFile(at("new"), new Response(LARGE).body as never)],
  ["writeFile through a link", (fs, at) => fs.writeFile(at("link"), "through")],
  ["writeFile through a link, large", (fs, at) => fs.writeFile(at("link"), LARGE)],
  ["writeFile through a link without a target", (fs, at) => fs.writeFile(at("broken"), "made")],
  ["writeFile over a directory", (fs, at) => fs.writeFile(at("dir"), "x")],
  ["writeFile over a directory, large", (fs, at) => fs.writeFile(at("dir"), LARGE)],
  ["writeFile over a directory, from pieces", (fs, at) => fs.writeFile(at("dir"), pieces())],
  ["writeFile into a missing directory", (fs, at) => fs.writeFile(at("none/x"), "x")],
  ["writeFile below a file", (fs, at) => fs.writeFile(at("file/x"), "x")],
  ["writeFile to /dev/null", (fs) => fs.writeFile("/dev/null", "x")],
  ["writeFile to /dev/null, large", (fs) => fs.writeFile("/dev/null", LARGE)],
  ["writeFile to /dev/null, from pieces", (fs) => fs.writeFile("/dev/null", pieces("a", "b"))],
  ["writeFile to /dev/full", (fs) => fs.writeFile("/dev/full", LARGE)],
  ["writeFile with flag a", (fs, at) => fs.writeFile(at("file"), "x", { flag: "a" })],
  ["writeFile with flag wx", (fs, at) => fs.writeFile(at("new"), "x", { flag: "wx" })],
  ["writeFile with flag wx, large", (fs, at) => fs.writeFile(at("new"), LARGE, { flag: "wx" })],
  ["writeFile with flag wx over a file", (fs, at) => fs.writeFile(at("file"), "x", { flag: "wx" })],
  ["writeFile with flag wx over a file, large", (fs, at) => fs.writeFile(at("file"), LARGE, { flag: "wx" })],
  ["writeFile with flag wx over a directory", (fs, at) => fs.writeFile(at("dir"), "x", { flag: "wx" })],
  ["writeFile with flag wx over a link", (fs, at) => fs.writeFile(at("broken"), "x", { flag: "wx" })],
  ["writeFile with flag wx to a missing parent", (fs, at) => fs.writeFile(at("none/x"), "", { flag: "wx" })],
  ["writeFile with a mode", (fs, at) => fs.writeFile(at("new"), "x", { mode: 0o600 })],
  ["writeFile with a mode beyond the umask", (fs, at) => fs.writeFile(at("new"), "x", { mode: 0o777 })],
  ["writeFile with a mode of digits", (fs, at) => fs.writeFile(at("new"), "x", { mode: "640" })],
  ["writeFile with a mode that can't write", (fs, at) => fs.writeFile(at("new"), "x", { mode: 0o444 })],
  ["writeFile with a mode, large", (fs, at) => fs.writeFile(at("new"), LARGE, { mode: 0o750 })],
  [
    "writeFile with a mode that can't write, large",
    (fs, at) => fs.writeFile(at("new"), LARGE, { mode: 0o400 }),
  ],
  ["writeFile with a mode over a file", (fs, at) => fs.writeFile(at("file"), "x", { mode: 0o400 })],
  ["writeFile with a mode over a file, large", (fs, at) => fs.writeFile(at("file"), LARGE, { mode: 0o400 })],
  ["writeFile with a mode through a link", (fs, at) => fs.writeFile(at("broken"), "x", { mode: 0o600 })],
  [
    "writeFile with a mode and flag wx",
    (fs, at) => fs.writeFile(at("new"), "x", { mode: 0o600, flag: "wx" }),
  ],
  ["writeFile with a mode of null", (fs, at) => fs.writeFile(at("new"), "x", { mode: null as never })],
  ["writeFile with a wrong mode", (fs, at) => fs.writeFile(at("new"), "x", { mode: "rw" })],
  ["appendFile", (fs, at) => fs.appendFile(at("file"), "more\n")],
  ["appendFile of a new file", (fs, at) => fs.appendFile(at("new"), "é\0\\")],
  ["appendFile of nothing", (fs, at) => fs.appendFile(at("new"), "")],
  [
    "appendFile of every byte",
    (fs, at) =>
      fs.appendFile(
        at("file"),
        Uint8Array.from({ length: 256 }, (_, n) => n),
      ),
  ],
  [
    "appendFile of the largest data for one start",
    (fs, at) => fs.appendFile(at("file"), Buffer.alloc(25_000)),
  ],
  ["appendFile of one byte more", (fs, at) => fs.appendFile(at("file"), Buffer.alloc(25_001))],
  ["appendFile of large data", (fs, at) => fs.appendFile(at("file"), LARGE)],
  ["appendFile through a link", (fs, at) => fs.appendFile(at("link"), "x")],
  ["appendFile through a link without a target", (fs, at) => fs.appendFile(at("broken"), "x")],
  ["appendFile with a mode", (fs, at) => fs.appendFile(at("new"), "x", { mode: 0o600 })],
  ["appendFile with an encoding", (fs, at) => fs.appendFile(at("file"), "x", "utf8")],
  ["appendFile to a directory", (fs, at) => fs.appendFile(at("dir"), "x")],
  ["appendFile to a missing directory", (fs, at) => fs.appendFile(at("none/x"), "x")],
  ["appendFile below a file", (fs, at) => fs.appendFile(at("file/x"), "x")],
  ["appendFile to /dev/null", (fs) => fs.appendFile("/dev/null", "x")],
  ["appendFile to /dev/full", (fs) => fs.appendFile("/dev/full", "x")],
  ["appendFile to /dev/full, large", (fs) => fs.appendFile("/dev/full", LARGE)],
  ["rename of a file", (fs, at) => fs.rename(at("file"), at("new"))],
  ["rename over a file", (fs, at) => fs.rename(at("file"), at("second"))],
  ["rename of a file onto itself", (fs, at) => fs.rename(at("file"), at("file"))],
  [
    "rename of a file onto a hard link to it",
    async (fs, at) => {
      await nodeFs.link(at("file"), at("hard"));
      await fs.rename(at("file"), at("hard"));
    },
  ],
  ["rename of a file over a link", (fs, at) => fs.rename(at("second"), at("link"))],
  ["rename of a file over a link to a directory", (fs, at) => fs.rename(at("second"), at("dir-link"))],
  ["rename of a file over a link to itself", (fs, at) => fs.rename(at("file"), at("link"))],
  ["rename of a file over a directory", (fs, at) => fs.rename(at("file"), at("empty-dir"))],
  ["rename of a link", (fs, at) => fs.rename(at("link"), at("new"))],
  ["rename of a link onto its target", (fs, at) => fs.rename(at("link"), at("file"))],
  ["rename of a link onto itself", (fs, at) => fs.rename(at("link"), at("link"))],
  ["rename of a link with a slash", (fs, at) => fs.rename(at("dir-link/"), at("dir"))],
  ["rename of a file with a slash", (fs, at) => fs.rename(at("file/"), at("new"))],
  ["rename of a file to a path with a slash", (fs, at) => fs.rename(at("file"), at("new/"))],
  ["rename of a directory with a slash", (fs, at) => fs.rename(at("dir/"), at("new/"))],
  ["rename of a link without a target", (fs, at) => fs.rename(at("broken"), at("new"))],
  ["rename of a link to a directory", (fs, at) => fs.rename(at("dir-link"), at("new"))],
  ["rename of a link over a directory", (fs, at) => fs.rename(at("link"), at("empty-dir"))],
  ["rename of a directory", (fs, at) => fs.rename(at("dir"), at("new"))],
  ["rename of a directory over an empty one", (fs, at) => fs.rename(at("dir"), at("empty-dir"))],
  ["rename of a directory over one that is not empty", (fs, at) => fs.rename(at("dir"), at("other"))],
  ["rename of a directory over a file", (fs, at) => fs.rename(at("dir"), at("file"))],
  ["rename of a directory over a link to another", (fs, at) => fs.rename(at("other"), at("dir-link"))],
  ["rename of a directory into itself", (fs, at) => fs.rename(at("dir"), at("dir/new"))],
  ["rename of a missing path", (fs, at) => fs.rename(at("none"), at("new"))],
  ["rename below a file", (fs, at) => fs.rename(at("file/x"), at("new"))],
  ["rename to a missing directory", (fs, at) => fs.rename(at("file"), at("none/x"))],
  ["rename to below a file", (fs, at) => fs.rename(at("file"), at("second/x"))],
  ["rename to another file system", (fs, at) => fs.rename("/proc/version", at("new"))],
  ["chmod of a file with a slash", (fs, at) => fs.chmod(at("file/"), 0o600)],
  ["readlink of a file with a slash", (fs, at) => fs.readlink(at("file/"))],
  ["chmod of a file", (fs, at) => fs.chmod(at("file"), 0o751)],
  ["chmod with digits", (fs, at) => fs.chmod(at("file"), "0600")],
  ["chmod through a link", (fs, at) => fs.chmod(at("link"), 0o600)],
  ["chmod of a directory", (fs, at) => fs.chmod(at("dir"), 0o700)],
  [
    "chmod of a directory with special bits",
    async (fs, at) => {
      await nodeFs.chmod(at("dir"), 0o2755);
      await fs.chmod(at("dir"), 0o755);
      return (await nodeFs.stat(at("dir"))).mode;
    },
  ],
  ["chmod of a link without a target", (fs, at) => fs.chmod(at("broken"), 0o600)],
  ["chmod of a missing path", (fs, at) => fs.chmod(at("none"), 0o600)],
  ["chmod below a file", (fs, at) => fs.chmod(at("file/x"), 0o600)],
  ["chmod with letters", (fs, at) => fs.chmod(at("file"), "u+x")],
  ["symlink", (fs, at) => fs.symlink(at("file"), at("new"))],
  ["symlink with a relative target", (fs, at) => fs.symlink("../a b\\n", at("dir/new"))],
  ["symlink with a target that looks like an option", (fs, at) => fs.symlink("-f", at("new"))],
  ["symlink with a target that ends with a line end", (fs, at) => fs.symlink("x\n", at("new"))],
  ["symlink with a target that looks like a URL", (fs, at) => fs.symlink("file:///x", at("new"))],
  ["symlink with a URL as target", (fs, at) => fs.symlink(new URL("file:///a%20b"), at("new"))],
  ["symlink with a type", (fs, at) => fs.symlink("dir", at("new"), "dir")],
  ["symlink over a file", (fs, at) => fs.symlink("x", at("file"))],
  ["symlink over a directory", (fs, at) => fs.symlink("x", at("dir"))],
  ["symlink over a link to a directory", (fs, at) => fs.symlink("x", at("dir-link"))],
  ["symlink over a link without a target", (fs, at) => fs.symlink("x", at("broken"))],
  ["symlink to nothing", (fs, at) => fs.symlink("", at("new"))],
  ["symlink in a missing directory", (fs, at) => fs.symlink("x", at("none/new"))],
  ["symlink below a file", (fs, at) => fs.symlink("x", at("file/new"))],
  ["readlink", (fs, at) => fs.readlink(at("link"))],
  ["readlink as text", (fs, at) => fs.readlink(at("loop"), "utf8")],
  ["readlink of a link without a target", (fs, at) => fs.readlink(at("broken"))],
  [
    "readlink of a target with line ends",
    async (fs, at) => {
      await nodeFs.symlink("\n\na\n\n", at("new"));
      return await fs.readlink(at("new"));
    },
  ],
  ["readlink of a file", (fs, at) => fs.readlink(at("file"))],
  ["readlink of a directory", (fs, at) => fs.readlink(at("dir"))],
  ["readlink of a missing path", (fs, at) => fs.readlink(at("none"))],
  ["readlink below a file", (fs, at) => fs.readlink(at("file/x"))],
  ["lstat of a file", (fs, at) => linkStatsAt(fs, at("file"))],
  ["lstat of a directory", (fs, at) => linkStatsAt(fs, at("dir"))],
  ["lstat of a link", (fs, at) => linkStatsAt(fs, at("link"))],
  ["lstat of a link to a directory", (fs, at) => linkStatsAt(fs, at("dir-link"))],
  ["lstat of a link without a target", (fs, at) => linkStatsAt(fs, at("broken"))],
  ["lstat of a link to itself", (fs, at) => linkStatsAt(fs, at("loop"))],
  ["lstat of a link to a directory with a slash", (fs, at) => linkStatsAt(fs, at("dir-link/"))],
  ["lstat of a directory with a slash", (fs, at) => linkStatsAt(fs, at("dir/"))],
  ["lstat of a link to a file with a slash", (fs, at) => linkStatsAt(fs, at("link/"))],
  ["lstat of a link without a target with a slash", (fs, at) => linkStatsAt(fs, at("broken/"))],
  ["lstat of a file with a slash", (fs, at) => linkStatsAt(fs, at("file/"))],
  ["lstat of a missing path with a slash", (fs, at) => linkStatsAt(fs, at("none/"))],
  ["lstat of a missing path", (fs, at) => linkStatsAt(fs, at("none"))],
  ["lstat below a file", (fs, at) => linkStatsAt(fs, at("file/x"))],
  ["mkdtemp", (fs, at) => temporaryAt(fs, at("dir/tmp-"))],
  ["mkdtemp in a directory", (fs, at) => temporaryAt(fs, at("dir/"))],
  ["mkdtemp with an odd prefix", (fs, at) => temporaryAt(fs, at("-a b\n\\é"))],
  ["mkdtemp behind dots", (fs, at) => temporaryAt(fs, at("dir/.."))],
  ["mkdtemp in a missing directory", (fs, at) => fs.mkdtemp(at("none/x"))],
  ["mkdtemp below a file", (fs, at) => fs.mkdtemp(at("file/x"))],
  ["mkdir", (fs, at) => fs.mkdir(at("new"))],
  ["mkdir of a directory that exists", (fs, at) => fs.mkdir(at("dir"))],
  ["mkdir of a file that exists", (fs, at) => fs.mkdir(at("file"))],
  ["mkdir without its parent", (fs, at) => fs.mkdir(at("none/new"))],
  ["mkdir below a file", (fs, at) => fs.mkdir(at("file/new"), { recursive: true })],
  ["mkdir recursive of a directory that exists", (fs, at) => fs.mkdir(at("dir"), { recursive: true })],
  ["mkdir recursive of a file that exists", (fs, at) => fs.mkdir(at("file"), { recursive: true })],
  ["mkdir recursive through a link", (fs, at) => fs.mkdir(at("dir-link"), { recursive: true })],
  ["rm of a file", (fs, at) => fs.rm(at("file"))],
  ["rm of a link", (fs, at) => fs.rm(at("link"))],
  ["rm of a link to a directory", (fs, at) => fs.rm(at("dir-link"))],
  ["rm of a link to a directory, recursive", (fs, at) => fs.rm(at("dir-link"), { recursive: true })],
  ["rm of a link without a target", (fs, at) => fs.rm(at("broken"))],
  ["rm of a link to itself", (fs, at) => fs.rm(at("loop"))],
  ["rm of an empty directory", (fs, at) => fs.rm(at("empty-dir"))],
  ["rm of an empty directory with force", (fs, at) => fs.rm(at("empty-dir"), { force: true })],
  ["rm of a directory, recursive", (fs, at) => fs.rm(at("dir"), { recursive: true })],
  ["rm of an empty directory, recursive", (fs, at) => fs.rm(at("empty-dir"), { recursive: true })],
  ["rm of a missing path", (fs, at) => fs.rm(at("none"))],
  ["rm of a missing path with force", (fs, at) => fs.rm(at("none"), { force: true })],
  ["rm of a missing path, recursive", (fs, at) => fs.rm(at("none"), { recursive: true })],
  ["rm below a missing directory with force", (fs, at) => fs.rm(at("none/x"), { force: true })],
  ["rm with a wrong option", (fs, at) => fs.rm(at("file"), { recursive: "yes" as never })],
  ["cp of a file", (fs, at) => fs.cp(at("file"), at("new"))],
  ["cp of an empty file", (fs, at) => fs.cp(at("empty"), at("new"))],
  ["cp over a file", (fs, at) => fs.cp(at("file"), at("second"))],
  ["cp over a file with force", (fs, at) => fs.cp(at("file"), at("second"), { force: true })],
  ["cp over a file without force", (fs, at) => fs.cp(at("file"), at("second"), { force: false })],
  [
    "cp over a file that errorOnExist protects",
    (fs, at) => fs.cp(at("file"), at("second"), { force: false, errorOnExist: true }),
  ],
  [
    "cp over a file with errorOnExist alone",
    (fs, at) => fs.cp(at("file"), at("second"), { errorOnExist: true }),
  ],
  [
    "cp of a new file without force",
    (fs, at) => fs.cp(at("file"), at("new"), { force: false, errorOnExist: true }),
  ],
  ["cp of a file onto itself", (fs, at) => fs.cp(at("file"), at("file"))],
  ["cp of a file onto itself without force", (fs, at) => fs.cp(at("file"), at("file"), { force: false })],
  ["cp of a file onto itself by another path", (fs, at) => fs.cp(at("dir/inside"), at("dir-link/inside"))],
  ["cp of a directory onto itself", (fs, at) => fs.cp(at("dir"), at("dir"), { recursive: true })],
  ["cp of a directory into itself", (fs, at) => fs.cp(at("dir"), at("dir/x"), { recursive: true })],
  [
    "cp of a directory into itself by another path",
    (fs, at) => fs.cp(at("dir"), at("dir-link/x"), { recursive: true }),
  ],
  ["cp of a link", (fs, at) => fs.cp(at("link"), at("new"))],
  [
    "cp of a link to a directory, recursive",
    (fs, at) => fs.cp(at("dir-link"), at("new"), { recursive: true }),
  ],
  ["cp of a link without a target", (fs, at) => fs.cp(at("broken"), at("new"))],
  ["cp of a link over a file", (fs, at) => fs.cp(at("link"), at("second"))],
  ["cp of a missing file", (fs, at) => fs.cp(at("none"), at("new"))],
  ["cp of a missing file over a file", (fs, at) => fs.cp(at("none"), at("file"))],
  ["cp of a directory", (fs, at) => fs.cp(at("dir"), at("new"), { recursive: true })],
  ["cp of a directory over another", (fs, at) => fs.cp(at("dir"), at("other"), { recursive: true })],
  ["cp of a directory to a missing parent", (fs, at) => fs.cp(at("dir"), at("none/x"), { recursive: true })],
  [
    "cp of a new directory without force",
    (fs, at) => fs.cp(at("dir"), at("new"), { recursive: true, force: false }),
  ],
  ["cp below a file", (fs, at) => fs.cp(at("file"), at("second/x"))],
  ["realpath of a file", (fs, at) => fs.realpath(at("dir/../file"))],
  ["realpath of a link", (fs, at) => fs.realpath(at("link"))],
  ["realpath through a link", (fs, at) => fs.realpath(at("dir-link/inside"), "utf8")],
  ["realpath of a missing path", (fs, at) => fs.realpath(at("none"))],
  ["realpath of a link to itself", (fs, at) => fs.realpath(at("loop"))],
  ["stat of a file", (fs, at) => statsAt(fs, at("file"))],
  ["stat of a directory", (fs, at) => statsAt(fs, at("dir"))],
  ["stat of a link", (fs, at) => statsAt(fs, at("link"))],
  ["stat of a link to a directory", (fs, at) => statsAt(fs, at("dir-link"))],
  ["stat of a link without a target", (fs, at) => statsAt(fs, at("broken"))],
  ["stat of a link to itself", (fs, at) => statsAt(fs, at("loop"))],
  ["stat of /dev/null", (fs) => statsAt(fs, "/dev/null")],
  ["stat below a file", (fs, at) => statsAt(fs, at("file/x"))],
  ["readdir", async (fs, at) => sorted(await fs.readdir(at("dir")))],
  ["readdir as text", async (fs, at) => sorted(await fs.readdir(at("dir"), "utf8"))],
  ["readdir with an encoding", async (fs, at) => sorted(await fs.readdir(at("dir"), { encoding: "utf8" }))],
  ["readdir with null", async (fs, at) => sorted(await fs.readdir(at("dir"), null))],
  ["readdir of an empty directory", (fs, at) => fs.readdir(at("empty-dir"))],
  ["readdir of odd names", async (fs, at) => sorted(await fs.readdir(at("odd")))],
  ["readdir through a link", async (fs, at) => sorted(await fs.readdir(at("dir-link")))],
  ["readdir of a file", (fs, at) => fs.readdir(at("file"))],
  ["readdir of a missing directory", (fs, at) => fs.readdir(at("none"))],
  ["readdir, recursive", async (fs, at) => sorted(await fs.readdir(at("dir"), { recursive: true }))],
  [
    "readdir of a path that ends with a slash, recursive",
    async (fs, at) => sorted(await fs.readdir(at("dir/"), { recursive: true })),
  ],
  [
    "readdir of odd names, recursive",
    async (fs, at) => sorted(await fs.readdir(at("odd"), { recursive: true })),
  ],
  [
    "readdir with a link to a directory inside, recursive",
    async (fs, at) => {
      await nodeFs.symlink(at("other"), at("dir/to-other"));
      return sorted(await fs.readdir(at("dir"), { recursive: true }));
    },
  ],
  ["readdir of a missing directory, recursive", (fs, at) => fs.readdir(at("none"), { recursive: true })],
  ["readdir with types", (fs, at) => typesIn(fs, at("dir"))],
  ["readdir with types of odd names", (fs, at) => typesIn(fs, at("odd"))],
  ["readdir with types, recursive", (fs, at) => typesIn(fs, at("dir"), true)],
  [
    "readdir with types of links",
    async (fs, at) => {
      await nodeFs.rm(at("broken"));
      await nodeFs.rm(at("loop"));
      return await typesIn(fs, at(""));
    },
  ],
  [
    "readdir with types of links beside odd names",
    async (fs, at) => {
      // A walk of the server takes the file for the link.
      await nodeFs.symlink("a b", at("odd/to\there"));
      await nodeFs.writeFile(at("odd/l\tink"), "");
      await nodeFs.symlink("a b", at("odd/link"));
      return await typesIn(fs, at("odd"));
    },
  ],
  [
    "readdir with types of links, recursive",
    async (fs, at) => {
      await nodeFs.rm(at("broken"));
      await nodeFs.rm(at("loop"));
      return await typesIn(fs, at(""), true);
    },
  ],
  ["readdir with types through a link", (fs, at) => typesIn(fs, at("dir-link"))],
];

const UNSUPPORTED_OPTIONS: readonly (readonly [name: string, call: Call])[] = [
  ["writeFile with flag ax", (fs, at) => fs.writeFile(at("new"), "x", { flag: "ax" })],
  ["appendFile with flag w", (fs, at) => fs.appendFile(at("new"), "x", { flag: "w" })],
  ["appendFile with flush", (fs, at) => fs.appendFile(at("new"), "x", { flush: true } as never)],
  ["readlink as bytes", (fs, at) => fs.readlink(at("link"), "buffer")],
  ["mkdtemp as bytes", (fs, at) => fs.mkdtemp(at("new"), "buffer" as never)],
  ["lstat with big integers", async (fs, at) => typeof (await fs.lstat(at("file"), { bigint: true })).size],
  ["writeFile with flag r+", (fs, at) => fs.writeFile(at("file"), "x", { flag: "r+" })],
  ["readFile with flag a+", (fs, at) => fs.readFile(at("new"), { flag: "a+" })],
  ["readFile in another encoding", (fs, at) => fs.readFile(at("file"), "hex")],
  ["writeFile in another encoding", (fs, at) => fs.writeFile(at("file"), "6162", "hex")],
  ["mkdir with a mode", (fs, at) => fs.mkdir(at("new"), { mode: 0o700 })],
  ["mkdir with a mode alone", (fs, at) => fs.mkdir(at("new"), 0o700)],
  ["rm with maxRetries", (fs, at) => fs.rm(at("file"), { maxRetries: 3 })],
  ["cp with dereference", (fs, at) => fs.cp(at("link"), at("new"), { dereference: true })],
  ["cp with a filter", (fs, at) => fs.cp(at("file"), at("new"), { filter: () => true })],
  ["cp with preserveTimestamps", (fs, at) => fs.cp(at("file"), at("new"), { preserveTimestamps: true })],
  ["cp with verbatimSymlinks", (fs, at) => fs.cp(at("link"), at("new"), { verbatimSymlinks: true })],
  ["cp with a mode", (fs, at) => fs.cp(at("file"), at("new"), { mode: 0 })],
  ["readdir as bytes", (fs, at) => fs.readdir(at("dir"), "buffer" as never)],
  ["readdir with bytes as encoding", (fs, at) => fs.readdir(at("dir"), { encoding: "buffer" as never })],
  ["realpath as bytes", (fs, at) => fs.realpath(at("dir"), "buffer")],
  ["stat with big integers", async (fs, at) => typeof (await fs.stat(at("file"), { bigint: true })).size],
];

const DIFFERENT: readonly (readonly [name: string, call: Call, difference: Difference])[] = [
  [
    "mkdir, recursive",
    (fs, at) => fs.mkdir(at("p/q"), { recursive: true }),
    { outcome: null, why: "the server does not report the first directory that it made" },
  ],
  [
    "rm of a directory that is not empty",
    (fs, at) => fs.rm(at("dir")),
    { outcome: "rejects: not-empty", why: "both refuse; Node has an error of its own" },
  ],
  [
    "cp of a directory without recursive",
    (fs, at) => fs.cp(at("dir"), at("new")),
    { outcome: "rejects: not-a-file", why: "both refuse; Node has an error of its own" },
  ],
  [
    "cp of a link onto its target",
    (fs, at) => fs.cp(at("link"), at("file")),
    { outcome: REFUSED, why: "both refuse; here it is a copy onto itself" },
  ],
  [
    "cp of a file over a directory",
    (fs, at) => fs.cp(at("file"), at("dir")),
    { outcome: "rejects: not-a-file", why: "both refuse; Node has an error of its own" },
  ],
  [
    "cp of a directory over a file",
    (fs, at) => fs.cp(at("dir"), at("file"), { recursive: true }),
    { outcome: "rejects: already-exists", why: "both refuse; Node has an error of its own" },
  ],
  [
    "cp of a relative link",
    async (fs, at) => {
      await nodeFs.symlink("file", at("relative"));
      await fs.cp(at("relative"), at("dir/copied"));
      return await nodeFs.readlink(at("dir/copied"));
    },
    { outcome: "file", why: "the server copies links as they are, Node makes them absolute by default" },
  ],
  [
    "cp onto a link",
    (fs, at) => fs.cp(at("second"), at("link")),
    { outcome: REFUSED, why: "Node replaces the link; the server would write through it" },
  ],
  [
    "cp onto a link to the source",
    (fs, at) => fs.cp(at("file"), at("link")),
    { outcome: REFUSED, why: "Node replaces the link; the server would empty the file" },
  ],
  [
    "cp of a link onto a link",
    (fs, at) => fs.cp(at("link"), at("broken")),
    { outcome: "rejects: already-exists", why: "the server does not replace a link by a link" },
  ],
  [
    "cp onto a link without a target",
    async (fs, at) => {
      await fs.cp(at("second"), at("broken"));
      return (await nodeFs.lstat(at("broken"))).isSymbolicLink();
    },
    { outcome: true, why: "the server does not report such links, and writes through it" },
  ],
  [
    "cp of a file to a missing parent",
    (fs, at) => fs.cp(at("file"), at("none/x")),
    { outcome: "rejects: not-found", why: "the server makes parents for directories only" },
  ],
  [
    "cp of a directory over another without force",
    (fs, at) => fs.cp(at("dir"), at("other"), { recursive: true, force: false }),
    { outcome: REFUSED, why: "the server replaces what exists" },
  ],
  [
    "readFile of /dev/null",
    (fs) => fs.readFile("/dev/null", "utf8"),
    { outcome: "rejects: not-a-file", why: "the server reads regular files only" },
  ],
  [
    "readFile of a file with a slash",
    (fs, at) => fs.readFile(at("file/"), "utf8"),
    { outcome: "content\n", why: "the server ignores a slash at the end" },
  ],
  [
    "readdir of a directory with links without a target",
    async (fs, at) => (await fs.readdir(at(""))).filter((name) => name === "broken" || name === "loop"),
    { outcome: [], why: "the server leaves them out" },
  ],
  [
    "stat of a link, asked whether it is one",
    async (fs, at) => (await fs.stat(at("link"))).isSymbolicLink(),
    { outcome: true, why: "the server reports it with the metadata of the target" },
  ],
  [
    "writeFile of a Blob",
    (fs, at) => fs.writeFile(at("new"), new Blob(["blob"]) as never),
    { outcome: null, why: "Node 20 takes streams, but no Blob" },
  ],
  [
    "a relative path",
    (fs) => fs.readFile("package.json", "utf8").then(() => "read"),
    { outcome: REFUSED, why: "the server has no current directory" },
  ],
  [
    "an unknown option",
    (fs, at) => fs.readFile(at("file"), { encoding: "utf8", encodign: "x" } as never),
    { outcome: REFUSED, why: "an option that is not read is a mistake" },
  ],
];

describe("does what node:fs/promises does:", () => {
  it.each(SAME)("%s", async (_, call) => {
    await compare(call);
  });

  it.each(ODD_NAMES)("every method with the name %j", async (name) => {
    await compare(async (fs, at) => {
      const path = at(`odd/${name}`);
      const copy = at(`dir/${name}`);
      await fs.cp(path, copy);
      await fs.writeFile(path, `${name}!`);
      await fs.mkdir(at(`empty-dir/${name}`));
      const seen = [await fs.readFile(path, "utf8"), await fs.realpath(path), await statsAt(fs, path)];
      const listed = await typesIn(fs, at("dir"), true);
      await fs.rm(path);
      await fs.appendFile(path, `${name}.`);
      await fs.rename(path, at(`empty-dir/${name}/${name}`));
      await fs.symlink(name, path);
      await fs.chmod(copy, 0o711);
      return [seen, listed, await fs.readlink(path), await linkStatsAt(fs, path)];
    });
  });
});

describe("refuses what Node does and the server can't do, and changes nothing:", () => {
  it.each(UNSUPPORTED_OPTIONS)("%s", async (_, call) => {
    await compare(call, { outcome: REFUSED, why: "the server can't do it" });
  });
});

describe("differs from node:fs/promises:", () => {
  it.each(DIFFERENT)("%s", async (_, call, difference) => {
    await compare(call, difference);
  });
});
