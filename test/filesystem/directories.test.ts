import { existsSync, lstatSync, readFileSync, readlinkSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, expectTypeOf, it } from "vitest";
import type { RemoteDirent } from "../../src/index.ts";
import { failureOf } from "../support/failure.ts";
import { realFiles, relayedFiles } from "../support/remote-files.ts";
import { scriptedFiles } from "../support/scripted-files.ts";

let real: Awaited<ReturnType<typeof realFiles>>;
beforeAll(async () => {
  real = await realFiles();
});
beforeEach(() => real.sh("find . -mindepth 1 -delete"));
afterAll(() => real[Symbol.asyncDispose]());

describe("stat()", () => {
  it("reports type, size and times of files and directories", async () => {
    await real.sh("printf 12345 > file; touch -d @1700000000.5 file; mkdir dir");
    const file = await real.fs.stat(real.path("file"));
    expect([file.isFile(), file.isDirectory(), file.isSymbolicLink()]).toEqual([true, false, false]);
    expect([file.size, file.mtimeMs, file.mtime]).toEqual([
      5,
      1_700_000_000_500,
      new Date(1_700_000_000_500),
    ]);
    expect(file.birthtime.getTime()).toBe(file.birthtimeMs);
    const directory = await real.fs.stat(real.path("dir"));
    expect([directory.isFile(), directory.isDirectory()]).toEqual([false, true]);
  });

  it("reports the target of a link, and that it is a link", async () => {
    await real.sh("mkdir dir; printf 12345 > file; ln -s dir to-dir; ln -s file to-file; ln -s none nowhere");
    const toDirectory = await real.fs.stat(real.path("to-dir"));
    expect([toDirectory.isDirectory(), toDirectory.isFile(), toDirectory.isSymbolicLink()]).toEqual([
      true,
      false,
      true,
    ]);
    const toFile = await real.fs.stat(real.path("to-file"));
    expect([toFile.isFile(), toFile.isSymbolicLink(), toFile.size]).toEqual([true, true, 5]);
    expect(await failureOf(real.fs.stat(real.path("nowhere")))).toMatchObject({ kind: "not-found" });
  });
});

it("exists() is true for every path that stat() can reach, and false for others", async () => {
  await real.sh("mkdir dir; touch dir/file; mkfifo fifo; ln -s dir link; ln -s none nowhere");
  const paths = ["dir", "dir/file", "fifo", "link", "link/file", "nowhere", "none", "dir/file/below"];
  expect(await Promise.all(paths.map((path) => real.fs.exists(real.path(path))))).toEqual([
    ...Array(5).fill(true),
    ...Array(3).fill(false),
  ]);
});

it("realpath() resolves every link in a path", async () => {
  await real.sh("mkdir -p 'a b/c'; touch 'a b/c/f'; ln -s 'a b' link; ln -s ../link/c/f 'a b/up'");
  const root = await real.sh("pwd -P");
  expect(await real.fs.realpath(real.path("link/up"))).toBe(`${root}/a b/c/f`);
});

describe("readdir()", () => {
  it("returns all names, hidden ones included, but not of links without a target", async () => {
    await real.sh("touch a .b; mkdir c; ln -s a d; ln -s none e; mkfifo f");
    expect((await real.fs.readdir(real.directory)).sort()).toEqual([".b", "a", "c", "d", "f"]);
    expect(await real.fs.readdir(real.path("c"))).toEqual([]);
  });

  it("returns the type of each entry with withFileTypes: a link is neither a file nor a directory", async () => {
    await real.sh("touch a __proto__; mkdir c; ln -s c d; ln -s a e; mkfifo f");
    const entries = await real.fs.readdir(real.directory, { withFileTypes: true });
    expectTypeOf(entries).toEqualTypeOf<RemoteDirent[]>();
    const seen = entries.map(({ name, parentPath, ...is }) => [
      name,
      parentPath,
      is.isFile(),
      is.isDirectory(),
      is.isSymbolicLink(),
    ]);
    expect(seen.sort()).toEqual([
      ["__proto__", real.directory, true, false, false],
      ["a", real.directory, true, false, false],
      ["c", real.directory, false, true, false],
      ["d", real.directory, false, false, true],
      ["e", real.directory, false, false, true],
      ["f", real.directory, false, false, false],
    ]);
  });
});

describe("readdir() asks the server", () => {
  it("twice for a directory with types, and once more for each entry that can be a link", async () => {
    await using relayed = await relayedFiles();
    await relayed.sh("touch $(seq 100); mkdir d; ln -s 1 link; ln -s d to-d; mkfifo fifo");
    const before = relayed.relay.received.length;
    await relayed.fs.readdir(relayed.directory, { withFileTypes: true });
    const methods = relayed.relay.received.slice(before).map(({ method = "" }) => method);
    expect(methods.filter((method) => method === "fs/getMetadata")).toHaveLength(3);
    expect(methods.sort().slice(3)).toEqual(["fs/readDirectory", "fs/walk"]);
  });

  it("once for each directory, recursively", async () => {
    await using relayed = await relayedFiles();
    await relayed.sh("mkdir -p a/b c; touch a/b/d c/e");
    const before = relayed.relay.received.length;
    const names = await relayed.fs.readdir(relayed.directory, { recursive: true });
    expect(names.sort()).toEqual(["a", "a/b", "a/b/d", "c", "c/e"]);
    const methods = relayed.relay.received.slice(before).map(({ method }) => method);
    expect(methods).toEqual(Array(4).fill("fs/readDirectory"));
  });

  it("nothing more after an error in one directory", async () => {
    await using relayed = await relayedFiles(({ method, params }) =>
      method === "fs/readDirectory" && String(params?.["path"]).endsWith("/bad")
        ? { error: { code: -32603, message: "Permission denied (os error 13)" } }
        : undefined,
    );
    await relayed.sh("mkdir -p bad $(for i in $(seq 300); do echo $i/x/y; done)");
    const error = await failureOf(relayed.fs.readdir(relayed.directory, { recursive: true }));
    expect(error).toMatchObject({ kind: "permission-denied", operation: "readdir", path: relayed.directory });
    await relayed.client.status();
    const asked = relayed.relay.count("fs/readDirectory");
    await relayed.client.status();
    expect(relayed.relay.count("fs/readDirectory")).toBe(asked);
    expect(asked).toBeLessThan(700);
  });

  it("for paths of Windows with its separator", async () => {
    await using scripted = await scriptedFiles(() => {});
    scripted.server.handle("fs/readDirectory", ({ params }) => ({
      entries: params.path.endsWith("/b")
        ? [{ fileName: "c.txt", isFile: true, isDirectory: false }]
        : [{ fileName: "b", isFile: false, isDirectory: true }],
    }));
    expect(await scripted.fs.readdir("C:\\a", { recursive: true })).toEqual(["b", "b\\c.txt"]);
  });
});

describe("mkdir()", () => {
  it("makes one directory whose parent exists", async () => {
    await real.fs.mkdir(real.path("a"));
    expect(await failureOf(real.fs.mkdir(real.path("a")))).toMatchObject({ kind: "already-exists" });
    expect(await failureOf(real.fs.mkdir(real.path("b/c")))).toMatchObject({ kind: "not-found" });
    expect(existsSync(real.path("b"))).toBe(false);
  });

  it("makes missing parents with recursive, and accepts an existing directory", async () => {
    await real.fs.mkdir(real.path("b/c/d"), { recursive: true });
    await real.fs.mkdir(real.path("b/c/d"), { recursive: true });
    expect(existsSync(real.path("b/c/d"))).toBe(true);
  });
});

describe("rm()", () => {
  it("rejects for a directory that is not empty without recursive, and deletes nothing", async () => {
    await real.sh("mkdir -p full/sub; echo precious > full/sub/file");
    expect(await failureOf(real.fs.rm(real.path("full")))).toMatchObject({ kind: "not-empty" });
    expect(await failureOf(real.fs.rm(real.path("full"), { force: true }))).toMatchObject({
      kind: "not-empty",
    });
    expect(readFileSync(real.path("full/sub/file"), "utf8")).toBe("precious\n");
    await real.fs.rm(real.path("full"), { recursive: true });
    expect(existsSync(real.path("full"))).toBe(false);
  });

  it("removes a link and leaves its target", async () => {
    await real.sh("mkdir dir; touch dir/file; ln -s dir to-dir; ln -s none nowhere");
    await real.fs.rm(real.path("to-dir"), { recursive: true });
    await real.fs.rm(real.path("nowhere"));
    expect(await real.sh("find . -mindepth 1 | sort")).toBe("./dir\n./dir/file");
  });

  it("rejects for a missing path without force", async () => {
    expect(await failureOf(real.fs.rm(real.path("none")))).toMatchObject({ kind: "not-found" });
    await real.fs.rm(real.path("none"), { force: true });
  });
});

describe("cp()", () => {
  it("copies a file over another", async () => {
    await real.sh("echo new > a; echo old > b");
    await real.fs.cp(real.path("a"), real.path("b"));
    expect(readFileSync(real.path("b"), "utf8")).toBe("new\n");
  });

  it("copies a directory only with recursive", async () => {
    await real.sh("mkdir -p dir/sub; touch dir/sub/file; ln -s sub/file dir/link; mkfifo dir/fifo");
    expect(await failureOf(real.fs.cp(real.path("dir"), real.path("copy")))).toMatchObject({
      code: "ERR_SERVER",
      message: expect.stringContaining("fs/copy requires recursive: true"),
    });
    expect(existsSync(real.path("copy"))).toBe(false);
    await real.fs.cp(real.path("dir"), real.path("copy"), { recursive: true });
    expect(await real.sh("cd copy; find . -mindepth 1 | sort")).toBe("./link\n./sub\n./sub/file");
    expect(readlinkSync(real.path("copy/link"))).toBe("sub/file");
  });

  it("copies a link as a link, also without a target", async () => {
    await real.sh("ln -s none nowhere");
    await real.fs.cp(real.path("nowhere"), real.path("copy"));
    expect(lstatSync(real.path("copy")).isSymbolicLink()).toBe(true);
  });

  it("rejects for a directory into itself, and for a special file", async () => {
    await real.sh("mkdir -p dir/sub; mkfifo fifo");
    const into = real.fs.cp(real.path("dir"), real.path("dir/sub/x"), { recursive: true });
    expect(await failureOf(into)).toMatchObject({
      kind: "invalid",
      message: expect.stringContaining("to itself or one of its descendants"),
    });
    expect(await failureOf(real.fs.cp(real.path("fifo"), real.path("copy")))).toMatchObject({
      kind: "invalid",
      message: expect.stringContaining("only supports regular files, directories, and symlinks"),
    });
  });
});
