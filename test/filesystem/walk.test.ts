import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ServerError, type WalkOptions } from "../../src/index.ts";
import { failureOf } from "../support/failure.ts";
import { relayedFiles } from "../support/remote-files.ts";

const TREE = `
  mkdir -p a/a/a b .hidden/in .git real/deep 'z z'
  touch a/1 a/a/2 a/a/a/3 b/4 .hidden/in/5 .git/config real/deep/6 'z z/7' top __proto__ é ～ 😀 A
  ln -s .hidden visible; ln -s real again; ln -s .. a/up; ln -s top link
  ln -s ../b real/b; mkfifo fifo
`;

let real: Awaited<ReturnType<typeof relayedFiles>>;
beforeAll(async () => {
  real = await relayedFiles();
  await real.sh(TREE);
});
afterAll(() => real[Symbol.asyncDispose]());

async function walked(options?: WalkOptions, root = real.directory): Promise<string[]> {
  const { entries } = await real.fs.walk(root, options);
  return entries.map(({ path, kind }) => path.slice(root.length + 1) + (kind === "directory" ? "/" : ""));
}

describe("walk()", () => {
  it("lists level by level, by name within a directory, without links and special files", async () => {
    expect(await walked()).toEqual(
      [
        [".git/", ".hidden/", "A", "__proto__", "a/", "b/", "real/", "top", "z z/", "é", "～", "😀"],
        [".git/config", ".hidden/in/", "a/1", "a/a/", "b/4", "real/deep/", "z z/7"],
        [".hidden/in/5", "a/a/2", "a/a/a/", "real/deep/6", "a/a/a/3"],
      ].flat(),
    );
  });

  it("ends at maxDepth", async () => {
    expect(await walked({ maxDepth: 0 })).toHaveLength(12);
    expect(await walked({ maxDepth: 1 })).toHaveLength(19);
  });

  it("lists hidden directories without entering them with pruneHiddenDirectories", async () => {
    const names = await walked({ pruneHiddenDirectories: true });
    expect(names).toEqual(expect.arrayContaining([".git/", ".hidden/", "a/a/a/3"]));
    expect(names).not.toEqual(expect.arrayContaining([".git/config"]));
    expect(names.filter((name) => /^\.\w+\/./.test(name))).toEqual([]);
  });

  it("enters linked directories with followDirectorySymlinks, each once, also in a circle", async () => {
    const names = await walked({ followDirectorySymlinks: true });
    expect(names).toEqual(expect.arrayContaining(["again/", "visible/", "a/up/", "again/deep/", "again/b/"]));
    expect(names.filter((name) => /\/6$/.test(name))).toEqual(["again/deep/6"]);
  });

  it("enters a hidden directory through a link with a visible name", async () => {
    const names = await walked({ followDirectorySymlinks: true, pruneHiddenDirectories: true });
    expect(names).toEqual(expect.arrayContaining(["visible/in/", "visible/in/5"]));
  });

  it("is truncated exactly when a limit ended it", async () => {
    const all = (await real.fs.walk(real.directory)).entries.length;
    expect(await real.fs.walk(real.directory, { maxEntries: 3 })).toMatchObject({ truncated: true });
    expect(await walked({ maxEntries: 3 })).toHaveLength(3);
    expect(await real.fs.walk(real.directory, { maxDirectories: 1 })).toMatchObject({ truncated: true });
    expect(await walked({ maxDirectories: 1 })).toHaveLength(12);
    expect(await real.fs.walk(real.directory, { maxEntries: all + 10 })).toMatchObject({ truncated: false });
    expect(await real.fs.walk(real.directory, { maxDepth: 0 })).toMatchObject({ truncated: false });
  });

  it("finds nothing below a file or a link that it does not follow", async () => {
    const nothing = { entries: [], errors: [], truncated: false };
    expect(await real.fs.walk(real.path("top"))).toEqual(nothing);
    expect(await real.fs.walk(real.path("again"))).toEqual(nothing);
    expect(await walked({ followDirectorySymlinks: true }, real.path("visible"))).toEqual(["in/", "in/5"]);
  });

  it("continues after an entry that it can't read, and reports the error", async () => {
    await real.sh("mkdir raw; cd raw; touch a \"$(printf 'b\\377')\" c");
    const { entries, errors, truncated } = await real.fs.walk(real.path("raw"));
    expect(entries.map(({ path }) => path)).toEqual([real.path("raw/a"), real.path("raw/c")]);
    expect(errors).toEqual([
      { path: real.path("raw/b\ufffd"), message: expect.stringMatching(/no such file/i) },
    ]);
    expect(truncated).toBe(false);
    await real.sh("rm -r raw");
  });

  it("of a missing path rejects as not found", async () => {
    const error = await failureOf(real.fs.walk(real.path("none")));
    expect(error).toBeInstanceOf(ServerError);
    expect(error).toMatchObject({ kind: "not-found" });
  });

  it("rejects as unsupported on a server without fs/walk, and sends nothing else", async () => {
    await using old = await relayedFiles(({ method }) =>
      method === "fs/walk" ? { error: { code: -32601, message: "unknown method" } } : undefined,
    );
    await old.client.status();
    const before = old.relay.received.length;
    expect(await failureOf(old.fs.walk(old.directory))).toMatchObject({
      code: "ERR_SERVER",
      kind: "unsupported",
    });
    expect(old.relay.received.slice(before).map(({ method }) => method)).toEqual(["fs/walk"]);
  });

  it.each<[WalkOptions, string]>([
    [{ maxEntries: 0 }, "maxEntries must be an integer from 1 to 50000, got 0"],
    [{ maxDirectories: 0 }, "maxDirectories must be an integer from 1 to 10000, got 0"],
    [{ maxDepth: 65 }, "maxDepth must be an integer from 0 to 64, got 65"],
    [{ maxDepth: -1 }, "maxDepth must be an integer from 0 to 64, got -1"],
    [{ maxDepth: 3.5 }, "maxDepth must be an integer from 0 to 64, got 3.5"],
    [{ maxEntries: 1.5 }, "maxEntries must be an integer from 1 to 50000, got 1.5"],
  ])("rejects the limits %o, and sends nothing", async (options, message) => {
    const before = real.relay.received.length;
    expect(await failureOf(real.fs.walk(real.directory, options))).toMatchObject({
      code: "ERR_INVALID_ARGUMENT",
      message: expect.stringContaining(`walk(): ${message}`),
    });
    expect(real.relay.received.slice(before)).toEqual([]);
  });
});
