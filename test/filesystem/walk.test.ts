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

/** `real` walks on the server. `old` walks by entry, because its relay rejects `fs/walk` as unknown. */
let real: Awaited<ReturnType<typeof relayedFiles>>;
let old: Awaited<ReturnType<typeof relayedFiles>>;
beforeAll(async () => {
  real = await relayedFiles();
  await real.sh(TREE);
  old = await relayedFiles(({ method }) =>
    method === "fs/walk" ? { error: { code: -32601, message: "unknown method" } } : undefined,
  );
});
afterAll(() => Promise.all([real[Symbol.asyncDispose](), old[Symbol.asyncDispose]()]));

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

  it.each([
    { maxEntries: 0 },
    { maxDirectories: 0 },
    { maxDepth: 65 },
    { maxDepth: -1 },
    { maxEntries: 1.5 },
  ])("rejects the limits %o", async (options) => {
    expect(await failureOf(real.fs.walk(real.directory, options))).toMatchObject({
      code: "ERR_SERVER",
      kind: "invalid",
    });
  });
});

describe("on a server without fs/walk", () => {
  const flags = [false, true].flatMap((followDirectorySymlinks) =>
    [false, true].map((pruneHiddenDirectories) => ({ followDirectorySymlinks, pruneHiddenDirectories })),
  );

  it.each(flags)("walk() finds the same with %o, for any limits", async (options) => {
    const limits: WalkOptions[] = [{}];
    for (const maxEntries of [1, 5, 6, 9, 10, 11, 17, 18, 24, 29, 30]) limits.push({ maxEntries });
    for (const maxDirectories of [1, 2, 3, 6, 9, 11, 12]) limits.push({ maxDirectories });
    for (const maxDepth of [0, 1, 2]) limits.push({ maxDepth, maxDirectories: 3, maxEntries: 15 });
    for (const limit of limits) {
      const all = { ...options, ...limit };
      expect({ limit, ...(await old.fs.walk(real.directory, all)) }).toEqual({
        limit,
        ...(await real.fs.walk(real.directory, all)),
      });
    }
  });

  it.each(["top", "again", "visible", "a/up", "a"])("walk() of %s finds the same", async (root) => {
    for (const options of flags) {
      expect(await old.fs.walk(real.path(root), options)).toEqual(
        await real.fs.walk(real.path(root), options),
      );
    }
  });

  it("walk() continues after an entry that it can't read, and reports the error", async () => {
    await old.sh("mkdir raw; cd raw; touch a \"$(printf 'b\\377')\" c");
    const ways = await Promise.all([old.fs.walk(old.path("raw")), real.fs.walk(old.path("raw"))]);
    for (const { entries, errors, truncated } of ways) {
      expect(entries.map(({ path }) => path)).toEqual([old.path("raw/a"), old.path("raw/c")]);
      expect(errors).toEqual([
        { path: old.path("raw/b\ufffd"), message: expect.stringMatching(/no such file/i) },
      ]);
      expect(truncated).toBe(false);
    }
  });

  it("walk() of a missing path rejects with the same kind", async () => {
    for (const { fs } of [real, old]) {
      const error = await failureOf(fs.walk(real.path("none")));
      expect(error).toBeInstanceOf(ServerError);
      expect(error).toMatchObject({ kind: "not-found" });
    }
  });

  it.each<[WalkOptions, string]>([
    [{ maxEntries: 0 }, "maxEntries must be an integer from 1 to 50000, got 0"],
    [{ maxDirectories: 0 }, "maxDirectories must be an integer from 1 to 10000, got 0"],
    [{ maxDepth: 65 }, "maxDepth must be an integer from 0 to 64, got 65"],
    [{ maxDepth: -1 }, "maxDepth must be an integer from 0 to 64, got -1"],
    [{ maxEntries: 1.5 }, "maxEntries must be an integer from 1 to 50000, got 1.5"],
  ])("walk() rejects the limits %o too", async (options, message) => {
    expect(await failureOf(old.fs.walk(real.directory, options))).toMatchObject({
      code: "ERR_INVALID_ARGUMENT",
      message: `walk(): ${message}`,
    });
  });
});
