import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ExecServerClient, type RemoteFileSystem } from "../../src/index.ts";
import { TestServer } from "../../src/testing.ts";
import { realFiles } from "../support/remote-files.ts";

const MIB = 1024 * 1024;

type Act = (fs: RemoteFileSystem, path: (name: string) => string) => Promise<unknown>;

/** What is done in turn, in a directory that is empty at first. */
const STEPS: readonly (readonly [name: string, act: Act])[] = [
  ["an empty directory is read", (fs, path) => fs.readdir(path(""))],
  ["a file is written", (fs, path) => fs.writeFile(path("a b#.txt"), "grüße\n")],
  ["and read", (fs, path) => fs.readFile(path("a b#.txt"), "utf8")],
  ["and written again, shorter", (fs, path) => fs.writeFile(path("a b#.txt"), "x")],
  ["and read again", (fs, path) => fs.readFile(path("a b#.txt"), "utf8")],
  ["a directory is made", (fs, path) => fs.mkdir(path("dir"))],
  ["and made again", (fs, path) => fs.mkdir(path("dir"))],
  ["and made again with its parents", (fs, path) => fs.mkdir(path("dir"), { recursive: true })],
  ["directories are made without their parents", (fs, path) => fs.mkdir(path("p/q"))],
  ["directories are made", (fs, path) => fs.mkdir(path("dir/.hidden/sub"), { recursive: true })],
  ["a directory is made where a file is", (fs, path) => fs.mkdir(path("a b#.txt"), { recursive: true })],
  ["a directory is made below a file", (fs, path) => fs.mkdir(path("a b#.txt/x"), { recursive: true })],
  ["files are written", (fs, path) => fs.writeFile(path("dir/.hidden/sub/deep"), new Uint8Array([0, 255]))],
  ["more of them", (fs, path) => fs.writeFile(path("dir/Zed"), "")],
  ["a file is written into nowhere", (fs, path) => fs.writeFile(path("none/x"), "")],
  ["a file is written over a directory", (fs, path) => fs.writeFile(path("dir"), "")],
  ["a file is written below a file", (fs, path) => fs.writeFile(path("a b#.txt/x"), "")],
  ["what is not there is read", (fs, path) => fs.readFile(path("none"))],
  ["a directory is read as a file", (fs, path) => fs.readFile(path("dir"))],
  ["what is below a file is read", (fs, path) => fs.readFile(path("a b#.txt/x"))],
  ["a file is read as a directory", (fs, path) => fs.readdir(path("a b#.txt"))],
  ["what is not there is read as a directory", (fs, path) => fs.readdir(path("none"))],
  [
    "a directory is read",
    async (fs, path) => {
      const entries = await fs.readdir(path("dir"), { withFileTypes: true });
      return entries.map(({ name, ...is }) => [name, is.isFile(), is.isDirectory()]).sort();
    },
  ],
  [
    "a file's metadata are asked for",
    async (fs, path) => {
      const { size, mtimeMs, ...is } = await fs.stat(path("a b#.txt"));
      return [size, Date.now() - mtimeMs < 60_000, is.isFile(), is.isDirectory(), is.isSymbolicLink()];
    },
  ],
  ["a directory's", async (fs, path) => (await fs.stat(path("dir"))).isDirectory()],
  ["those of nothing", (fs, path) => fs.stat(path("none"))],
  [
    "it is asked what exists",
    (fs, path) =>
      Promise.all(["dir", "a b#.txt", "none", "none/x", "a b#.txt/x"].map((p) => fs.exists(path(p)))),
  ],
  ["the real path is asked for", async (fs, path) => (await fs.realpath(path("dir/"))) === path("dir")],
  ["that of nothing", (fs, path) => fs.realpath(path("none"))],
  ["a file is copied", (fs, path) => fs.cp(path("a b#.txt"), path("copy"))],
  ["nothing is copied", (fs, path) => fs.cp(path("none"), path("copy"))],
  ["a directory is copied without saying so", (fs, path) => fs.cp(path("dir"), path("dir2"))],
  ["a directory is copied", (fs, path) => fs.cp(path("dir"), path("dir2"), { recursive: true })],
  ["a directory is copied into itself", (fs, path) => fs.cp(path("dir"), path("dir/x"), { recursive: true })],
  ["everything is walked", (fs, path) => walked(fs, path, {})],
  ["one level is walked", (fs, path) => walked(fs, path, { maxDepth: 0 })],
  ["hidden directories are passed by", (fs, path) => walked(fs, path, { pruneHiddenDirectories: true })],
  ["three entries are walked", (fs, path) => walked(fs, path, { maxEntries: 3 })],
  ["two directories are walked", (fs, path) => walked(fs, path, { maxDirectories: 2 })],
  ["a file is walked", async (fs, path) => (await fs.walk(path("copy"))).entries],
  ["nothing is walked", (fs, path) => fs.walk(path("none"))],
  ["a large file is written", (fs, path) => fs.writeFile(path("large"), pattern(3 * MIB + 7))],
  ["and read", async (fs, path) => sum(await fs.readFile(path("large")))],
  [
    "and a range of it",
    async (fs, path) => collected(fs.createReadStream(path("large"), { start: MIB - 5, end: MIB + 5 })),
  ],
  ["a file of whole blocks is written", (fs, path) => fs.writeFile(path("blocks"), pattern(2 * MIB))],
  ["and streamed", async (fs, path) => collected(fs.createReadStream(path("blocks")))],
  ["what is not there is streamed", (fs, path) => fs.createReadStream(path("none")).getReader().read()],
  ["a directory is streamed", (fs, path) => fs.createReadStream(path("dir")).getReader().read()],
  [
    "a stream is written into nowhere",
    (fs, path) => fs.createWriteStream(path("none/x")).getWriter().write(new Uint8Array(1)),
  ],
  ["what is there is waited for", (fs, path) => fs.whenAppears([path("none"), path("dir")])],
  [
    "what is not there is waited for",
    async (fs, path) => {
      const appeared = fs.whenAppears([path("later"), path("never")]);
      await fs.writeFile(path("later"), "");
      return await appeared;
    },
  ],
  ["a full directory is removed without saying so", (fs, path) => fs.rm(path("dir"))],
  ["a directory is removed", (fs, path) => fs.rm(path("dir"), { recursive: true })],
  ["a file is removed", (fs, path) => fs.rm(path("copy"))],
  ["what is not there is removed", (fs, path) => fs.rm(path("copy"))],
  ["and forcibly", (fs, path) => fs.rm(path("copy"), { force: true })],
  [
    "an empty directory is made and removed",
    async (fs, path) => {
      await fs.mkdir(path("empty"));
      await fs.rm(path("empty"));
    },
  ],
  ["all is walked in the end", (fs, path) => walked(fs, path, {})],
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

describe("files in memory are like those of the real server, when", () => {
  it.each(STEPS)("%s", async (_, act) => {
    const expected = await outcome(act(real.fs, real.path));
    const seen = await outcome(act(client.fs, (name) => (name === "" ? "/base" : `/base/${name}`)));
    expect(seen).toEqual(expected);
  });
});

describe("the files of a test", () => {
  it("are there for the app, and the app's for the test", async () => {
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

  it("may be those of a Windows machine", async () => {
    await using server = new TestServer({ files: { "C:\\src\\a.txt": "hello" } });
    await using client = await ExecServerClient.connect({ transport: server.transport });
    expect(await client.fs.readFile("c:\\src\\a.txt", "utf8")).toBe("hello");
    expect(await client.fs.readdir("C:\\src")).toEqual(["a.txt"]);
    expect(server.files.paths()).toEqual(["C:\\src\\a.txt"]);
  });

  it("that the test writes are noticed by who waits for them", async () => {
    await using server = new TestServer();
    await using client = await ExecServerClient.connect({ transport: server.transport });
    const appeared = client.fs.whenAppears(["/run/ready"]);
    await (await server.connection()).request("fs/watchMissing");
    const release = (await server.connection()).holdFrames();
    server.files.write("/run/ready", "");
    server.files.write("/run/ready", "again");
    release((frames) => {
      // Told once.
      expect(frames).toHaveLength(1);
      return frames;
    });
    await appeared;
  });

  it("keep nothing of what is written later into the same bytes", () => {
    const bytes = Buffer.from("a");
    const server = new TestServer({ files: { "/a": bytes } });
    bytes.write("b");
    server.files.bytes("/a")?.fill(0);
    expect(server.files.text("/a")).toBe("a");
  });

  it("hold the directories that the server tells of", async () => {
    await using server = new TestServer({ environmentInfo: { cwd: "file:///srv/app" } });
    await using client = await ExecServerClient.connect({ transport: server.transport });
    for (const directory of ["/srv/app", "/home/test", "/tmp"]) {
      expect(await client.fs.readdir(directory)).toEqual([]);
    }
  });
});
