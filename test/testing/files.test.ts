import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ExecServerClient, type RemoteFileSystem } from "../../src/index.ts";
import { TestServer } from "../../src/testing.ts";
import { realFiles } from "../support/remote-files.ts";

const MIB = 1024 * 1024;

type Step = (fs: RemoteFileSystem, path: (name: string) => string) => Promise<unknown>;

/** Performed in this order, in a directory that is empty at first. Each name continues the one of the suite. */
const STEPS: readonly (readonly [name: string, step: Step])[] = [
  ["reading an empty directory", (fs, path) => fs.readdir(path(""))],
  ["writing a file", (fs, path) => fs.writeFile(path("a b#.txt"), "grüße\n")],
  ["reading the file", (fs, path) => fs.readFile(path("a b#.txt"), "utf8")],
  ["overwriting the file with less", (fs, path) => fs.writeFile(path("a b#.txt"), "x")],
  ["reading the overwritten file", (fs, path) => fs.readFile(path("a b#.txt"), "utf8")],
  ["creating a directory", (fs, path) => fs.mkdir(path("dir"))],
  ["creating a directory that exists", (fs, path) => fs.mkdir(path("dir"))],
  ["creating a directory that exists, recursively", (fs, path) => fs.mkdir(path("dir"), { recursive: true })],
  ["creating a directory without its parent", (fs, path) => fs.mkdir(path("p/q"))],
  ["creating directories recursively", (fs, path) => fs.mkdir(path("dir/.hidden/sub"), { recursive: true })],
  ["creating a directory in place of a file", (fs, path) => fs.mkdir(path("a b#.txt"), { recursive: true })],
  ["creating a directory below a file", (fs, path) => fs.mkdir(path("a b#.txt/x"), { recursive: true })],
  [
    "writing bytes into a hidden directory",
    (fs, path) => fs.writeFile(path("dir/.hidden/sub/deep"), new Uint8Array([0, 255])),
  ],
  ["writing an empty file", (fs, path) => fs.writeFile(path("dir/Zed"), "")],
  ["writing into a missing directory", (fs, path) => fs.writeFile(path("none/x"), "")],
  ["writing over a directory", (fs, path) => fs.writeFile(path("dir"), "")],
  ["writing below a file", (fs, path) => fs.writeFile(path("a b#.txt/x"), "")],
  ["reading a missing file", (fs, path) => fs.readFile(path("none"))],
  ["reading a directory as a file", (fs, path) => fs.readFile(path("dir"))],
  ["reading below a file", (fs, path) => fs.readFile(path("a b#.txt/x"))],
  ["reading a file as a directory", (fs, path) => fs.readdir(path("a b#.txt"))],
  ["reading a missing directory", (fs, path) => fs.readdir(path("none"))],
  [
    "reading a directory with types",
    async (fs, path) => {
      const entries = await fs.readdir(path("dir"), { withFileTypes: true });
      return entries.map(({ name, ...is }) => [name, is.isFile(), is.isDirectory()]).sort();
    },
  ],
  [
    "stat of a file",
    async (fs, path) => {
      const { size, mtimeMs, ...is } = await fs.stat(path("a b#.txt"));
      return [size, Date.now() - mtimeMs < 60_000, is.isFile(), is.isDirectory(), is.isSymbolicLink()];
    },
  ],
  ["stat of a directory", async (fs, path) => (await fs.stat(path("dir"))).isDirectory()],
  ["stat of a missing path", (fs, path) => fs.stat(path("none"))],
  [
    "exists of several paths",
    (fs, path) =>
      Promise.all(["dir", "a b#.txt", "none", "none/x", "a b#.txt/x"].map((p) => fs.exists(path(p)))),
  ],
  ["realpath of a directory", async (fs, path) => (await fs.realpath(path("dir/"))) === path("dir")],
  ["realpath of a missing path", (fs, path) => fs.realpath(path("none"))],
  ["copying a file", (fs, path) => fs.cp(path("a b#.txt"), path("copy"))],
  ["copying a missing file", (fs, path) => fs.cp(path("none"), path("copy"))],
  ["copying a directory without recursive", (fs, path) => fs.cp(path("dir"), path("dir2"))],
  ["copying a directory recursively", (fs, path) => fs.cp(path("dir"), path("dir2"), { recursive: true })],
  ["copying a directory into itself", (fs, path) => fs.cp(path("dir"), path("dir/x"), { recursive: true })],
  ["a walk of everything", (fs, path) => walked(fs, path, {})],
  ["a walk of one level", (fs, path) => walked(fs, path, { maxDepth: 0 })],
  ["a walk without hidden directories", (fs, path) => walked(fs, path, { pruneHiddenDirectories: true })],
  ["a walk of at most three entries", (fs, path) => walked(fs, path, { maxEntries: 3 })],
  ["a walk of at most two directories", (fs, path) => walked(fs, path, { maxDirectories: 2 })],
  ["a walk of a file", async (fs, path) => (await fs.walk(path("copy"))).entries],
  ["a walk of a missing directory", (fs, path) => fs.walk(path("none"))],
  ["writing a large file", (fs, path) => fs.writeFile(path("large"), pattern(3 * MIB + 7))],
  ["reading a large file", async (fs, path) => sum(await fs.readFile(path("large")))],
  [
    "reading a range of a large file",
    async (fs, path) => collected(fs.createReadStream(path("large"), { start: MIB - 5, end: MIB + 5 })),
  ],
  ["writing a file of whole blocks", (fs, path) => fs.writeFile(path("blocks"), pattern(2 * MIB))],
  ["streaming a file of whole blocks", async (fs, path) => collected(fs.createReadStream(path("blocks")))],
  ["streaming a missing file", (fs, path) => fs.createReadStream(path("none")).getReader().read()],
  ["streaming a directory", (fs, path) => fs.createReadStream(path("dir")).getReader().read()],
  [
    "streaming into a missing directory",
    (fs, path) => fs.createWriteStream(path("none/x")).getWriter().write(new Uint8Array(1)),
  ],
  ["waiting for a path that exists", (fs, path) => fs.whenAppears([path("none"), path("dir")])],
  [
    "waiting for a path that is created later",
    async (fs, path) => {
      const appeared = fs.whenAppears([path("later"), path("never")]);
      await fs.writeFile(path("later"), "");
      return await appeared;
    },
  ],
  ["removing a non-empty directory without recursive", (fs, path) => fs.rm(path("dir"))],
  ["removing a directory recursively", (fs, path) => fs.rm(path("dir"), { recursive: true })],
  ["removing a file", (fs, path) => fs.rm(path("copy"))],
  ["removing a missing file", (fs, path) => fs.rm(path("copy"))],
  ["removing a missing file with force", (fs, path) => fs.rm(path("copy"), { force: true })],
  ["removing below a file with force", (fs, path) => fs.rm(path("a b#.txt/x/y"), { force: true })],
  [
    "creating and removing an empty directory",
    async (fs, path) => {
      await fs.mkdir(path("empty"));
      await fs.rm(path("empty"));
    },
  ],
  ["appending to a new file", (fs, path) => fs.appendFile(path("log"), "é\\\n")],
  ["appending to a file", (fs, path) => fs.appendFile(path("log"), new Uint8Array([0, 255]))],
  ["reading what was appended", async (fs, path) => sum(await fs.readFile(path("log")))],
  ["appending much", (fs, path) => fs.appendFile(path("log"), pattern(2 * MIB + 7))],
  ["reading much that was appended", async (fs, path) => sum(await fs.readFile(path("log")))],
  ["appending to a directory", (fs, path) => fs.appendFile(path("p"), "x")],
  ["appending in a missing directory", (fs, path) => fs.appendFile(path("none/x"), "x")],
  ["creating a file exclusively", (fs, path) => fs.writeFile(path("lock"), "x", { flag: "wx" })],
  ["creating a file that exists exclusively", (fs, path) => fs.writeFile(path("lock"), "y", { flag: "wx" })],
  ["writing a file with a mode", (fs, path) => fs.writeFile(path("private"), "x", { mode: 0o600 })],
  ["changing the mode of a file", (fs, path) => fs.chmod(path("private"), 0o644)],
  ["changing the mode of a missing file", (fs, path) => fs.chmod(path("none"), 0o644)],
  ["renaming a file", (fs, path) => fs.rename(path("lock"), path("re\\named"))],
  ["renaming over a file", (fs, path) => fs.rename(path("re\\named"), path("private"))],
  ["renaming a missing file", (fs, path) => fs.rename(path("none"), path("x"))],
  ["renaming a directory", (fs, path) => fs.rename(path("dir2"), path("dir3"))],
  ["renaming a directory into itself", (fs, path) => fs.rename(path("dir3"), path("dir3/x"))],
  ["renaming a directory over a file", (fs, path) => fs.rename(path("dir3"), path("private"))],
  ["renaming a file over a directory", (fs, path) => fs.rename(path("private"), path("dir3"))],
  ["renaming below a file", (fs, path) => fs.rename(path("private"), path("log/x"))],
  ["lstat of a file", async (fs, path) => (await fs.lstat(path("private"))).isFile()],
  ["lstat of a missing file", (fs, path) => fs.lstat(path("none"))],
  ["reading a file as a link", (fs, path) => fs.readlink(path("private"))],
  [
    "making a temporary directory",
    async (fs, path) => {
      const made = await fs.mkdtemp(path("tmp-"));
      await fs.rm(made, { recursive: true });
      return made.length - path("tmp-").length;
    },
  ],
  ["a final walk of everything", (fs, path) => walked(fs, path, {})],
];

async function walked(fs: RemoteFileSystem, path: (name: string) => string, options: object) {
  const { entries, errors, truncated } = await fs.walk(path(""), options);
  const root = path("").replace(/\/$/, "");
  return { entries: entries.map((entry) => [entry.path.slice(root.length), entry.kind]), errors, truncated };
}

async function collected(stream: ReadableStream<Uint8Array>) {
  return sum(
    new Uint8Array(await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer()),
  );
}

function pattern(length: number): Uint8Array {
  return new Uint8Array(length).map((_, at) => (at * 31) % 251);
}

function sum(bytes: Uint8Array): string {
  let hash = 0;
  for (const byte of bytes) hash = (hash * 31 + byte) | 0;
  return `${bytes.length} bytes, ${hash}`;
}

async function outcome(act: Promise<unknown>): Promise<unknown> {
  try {
    return await act;
  } catch (error) {
    const { code, kind, rpcCode } = error as { code: string; kind?: string; rpcCode?: number };
    return { code, kind, rpcCode };
  }
}

let real: Awaited<ReturnType<typeof realFiles>>;
let client: ExecServerClient;
const server = new TestServer();
beforeAll(async () => {
  real = await realFiles();
  server.files.mkdir("/base");
  client = await ExecServerClient.connect({ transport: server.transport });
});
afterAll(async () => {
  await client.close();
  await real[Symbol.asyncDispose]();
});

describe("TestFiles give the result of the real server for", () => {
  it.each(STEPS)("%s", async (_, act) => {
    const expected = await outcome(act(real.fs, real.path));
    const seen = await outcome(act(client.fs, (name) => (name === "" ? "/base" : `/base/${name}`)));
    expect(seen).toEqual(expected);
  });
});

describe("TestFiles", () => {
  it("are shared by the test and the app", async () => {
    await using server = new TestServer({ files: { "/src/main.ts": "one", "/src/b": Uint8Array.of(1, 2) } });
    await using client = await ExecServerClient.connect({ transport: server.transport });
    expect(await client.fs.readFile("/src/main.ts", "utf8")).toBe("one");
    await client.fs.writeFile("/src/new.ts", "two");
    expect(server.files.text("/src/new.ts")).toBe("two");
    expect(server.files.text(new URL("file:///src/new.ts"))).toBe("two");
    expect(server.files.bytes("/src/b")).toEqual(Uint8Array.of(1, 2));
    expect(server.files.paths()).toEqual(["/src/b", "/src/main.ts", "/src/new.ts"]);
    expect([server.files.text("/none"), server.files.bytes("/src")]).toEqual([undefined, undefined]);
    server.files.remove("/src");
    server.files.remove("/src");
    expect(await client.fs.exists("/src/new.ts")).toBe(false);
  });

  it("can be those of a Windows machine", async () => {
    await using server = new TestServer({ files: { "C:\\src\\a.txt": "hello" } });
    await using client = await ExecServerClient.connect({ transport: server.transport });
    expect(await client.fs.readFile("c:\\src\\a.txt", "utf8")).toBe("hello");
    expect(await client.fs.readdir("C:\\src")).toEqual(["a.txt"]);
    expect(server.files.paths()).toEqual(["C:\\src\\a.txt"]);
  });

  it("notify a watching client once about a file that the test writes", async () => {
    await using server = new TestServer();
    await using client = await ExecServerClient.connect({ transport: server.transport });
    const appeared = client.fs.whenAppears(["/run/ready"]);
    await (await server.connection()).request("fs/watchMissing");
    const release = (await server.connection()).holdFrames();
    server.files.write("/run/ready", "");
    server.files.write("/run/ready", "again");
    release((frames) => {
      expect(frames).toHaveLength(1);
      return frames;
    });
    await appeared;
  });

  it("copy the bytes they are given and the bytes they return", () => {
    const bytes = Buffer.from("a");
    const server = new TestServer({ files: { "/a": bytes } });
    bytes.write("b");
    server.files.bytes("/a")?.fill(0);
    expect(server.files.text("/a")).toBe("a");
  });

  it("have the directories that the environment info names", async () => {
    await using server = new TestServer({ environmentInfo: { cwd: "file:///srv/app" } });
    await using client = await ExecServerClient.connect({ transport: server.transport });
    for (const directory of ["/srv/app", "/home/test", "/tmp"]) {
      expect(await client.fs.readdir(directory)).toEqual([]);
    }
  });
});

it("refuses links, which files in memory do not have", async () => {
  await expect(client.fs.symlink("x", "/base/link")).rejects.toMatchObject({ code: "ERR_UNSUPPORTED" });
});
