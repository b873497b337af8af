import { execFileSync } from "node:child_process";
import {
  chmodSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ExecServerClient } from "../../../src/index.ts";
import {
  downloadDirectory,
  type FolderClient,
  type FolderProgress,
  uploadDirectory,
} from "../../../src/node.ts";
import { TestServer } from "../../../src/testing.ts";
import { failureOf } from "../../support/failure.ts";
import { realClient } from "../../support/real-client.ts";
import { relayedFiles } from "../../support/remote-files.ts";
import { listingOf, makeFolder, put, temporary } from "./folder.ts";

let real: Awaited<ReturnType<typeof realClient>>;
beforeAll(async () => {
  real = await realClient();
});
afterAll(() => real[Symbol.asyncDispose]());

describe("uploadDirectory and downloadDirectory", () => {
  it("bring a folder there and back: modes, times, links, odd names, empty directories", async () => {
    using folder = temporary();
    makeFolder(folder.at("from"), 2_000);
    const there = await uploadDirectory(real.client, folder.at("from"), folder.at("there/new"));
    const back = await downloadDirectory(real.client, folder.at("there/new"), folder.at("back/new"));
    const files = Number(
      execFileSync("sh", ["-c", 'find "$1" -type f -print0 | tr -dc "\\0" | wc -c', "sh", folder.at("from")]),
    );
    expect(there).toEqual({ files, bytes: there.bytes, exact: true });
    expect(back).toEqual(there);
    const expected = listingOf(folder.at("from"));
    expect(listingOf(folder.at("there/new"))).toBe(expected);
    expect(listingOf(folder.at("back/new"))).toBe(expected);
    execFileSync("diff", ["-r", "--no-dereference", folder.at("from"), folder.at("back/new")]);
  }, 60_000);

  it("bring 10,000 files there and back", async () => {
    using folder = temporary();
    for (let n = 0; n < 10_000; n++) put(folder.at(`from/d${n % 100}/f${n}`), `${n}`);
    expect(await uploadDirectory(real.client, folder.at("from"), folder.at("there"))).toMatchObject({
      files: 10_000,
    });
    expect(await downloadDirectory(real.client, folder.at("there"), folder.at("back"))).toMatchObject({
      files: 10_000,
    });
    execFileSync("diff", ["-r", folder.at("from"), folder.at("back")]);
  }, 120_000);

  it("replace what exists file by file, and leave what they do not have", async () => {
    using folder = temporary();
    put(folder.at("from/a"), "new");
    put(folder.at("from/d/b"), "new");
    for (const to of ["there", "back"]) {
      put(folder.at(`${to}/a`), "the old and longer one");
      put(folder.at(`${to}/d/c`), "stays");
    }
    await uploadDirectory(real.client, folder.at("from"), folder.at("there"));
    await downloadDirectory(real.client, folder.at("from"), folder.at("back"));
    for (const to of ["there", "back"]) {
      expect(readFileSync(folder.at(`${to}/a`), "utf8")).toBe("new");
      expect(readdirSync(folder.at(`${to}/d`)).sort()).toEqual(["b", "c"]);
    }
  });

  it("replace a link or a file in the place of a directory, and write nothing through links", async () => {
    using folder = temporary();
    put(folder.at("from/sub/f"), "new");
    put(folder.at("from/é/deep/f"), "new");
    put(folder.at("from/d/f"), "new");
    put(folder.at("from/file"), "new");
    chmodSync(folder.at("from/sub"), 0o500);
    for (const [to, transfer] of [
      ["there", () => uploadDirectory(real.client, folder.at("from"), folder.at("there"))],
      ["back", () => downloadDirectory(real.client, folder.at("from"), folder.at("back"))],
    ] as const) {
      for (const name of ["f", "deep/f"]) put(folder.at(`out/${name}`), "outside");
      mkdirSync(folder.at(to));
      for (const name of ["sub", "é"]) symlinkSync(folder.at("out"), folder.at(`${to}/${name}`));
      symlinkSync(folder.at("out/f"), folder.at(`${to}/file`));
      put(folder.at(`${to}/d`), "a file");
      await transfer();
      expect(listingOf(folder.at(to))).toBe(listingOf(folder.at("from")));
      for (const name of ["f", "deep/f"])
        expect(readFileSync(folder.at(`out/${name}`), "utf8")).toBe("outside");
    }
  });

  it("keep times before 1970 and after 2242", async () => {
    using folder = temporary();
    put(folder.at("from/d/old"), "x");
    put(folder.at("from/d/new"), "x");
    symlinkSync("old", folder.at("from/d/link"));
    lutimesSync(folder.at("from/d/link"), new Date(-5_000), new Date(-5_000));
    utimesSync(folder.at("from/d/old"), new Date(-86_400_000), new Date(-86_400_000));
    utimesSync(folder.at("from/d/new"), 2 ** 33 + 1, 2 ** 33 + 1);
    utimesSync(folder.at("from/d"), new Date(-1_500), new Date(-1_500));
    await uploadDirectory(real.client, folder.at("from"), folder.at("there"));
    await downloadDirectory(real.client, folder.at("there"), folder.at("back"));
    for (const to of ["there", "back"]) expect(listingOf(folder.at(to))).toBe(listingOf(folder.at("from")));
    expect(lstatSync(folder.at("back/d/old")).mtimeMs).toBe(-86_400_000);
  });

  it("keep private directories private meanwhile, and after a failure", async () => {
    using folder = temporary();
    // The files of a directory come in any order, so that some come after the large one.
    for (let n = 0; n < 20; n++) put(folder.at(`from/private/f${n}`), Buffer.alloc(1024 * 1024));
    for (const to of ["from", "was-open"]) mkdirSync(folder.at(`${to}/private`), { recursive: true });
    chmodSync(folder.at("from/private"), 0o700);
    const modes: string[] = [];
    for (const to of ["was-open", "back"]) {
      const controller = new AbortController();
      const onProgress = () => {
        modes.push((lstatSync(folder.at(`${to}/private`)).mode & 0o777).toString(8));
        controller.abort(new RangeError("enough"));
      };
      const options = { onProgress, signal: controller.signal };
      await failureOf(downloadDirectory(real.client, folder.at("from"), folder.at(to), options));
      modes.push((lstatSync(folder.at(`${to}/private`)).mode & 0o777).toString(8));
    }
    // A file that has arrived is still reported after the abort.
    expect(new Set(modes)).toEqual(new Set(["700"]));
  });

  it("do not disturb each other in one folder", async () => {
    using folder = temporary();
    for (let n = 0; n < 30; n++) put(folder.at(`from/d${n % 3}/f${n}`), `${n}`);
    put(folder.at("from/d0/large"), Buffer.alloc(2_000_000, "x"));
    linkSync(folder.at("from/d0/f0"), folder.at("from/d0/hard"));
    symlinkSync("f0", folder.at("from/d0/link"));
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, () => downloadDirectory(real.client, folder.at("from"), folder.at("to"))),
    );
    expect(outcomes.filter(({ status }) => status === "rejected")).toEqual([]);
    execFileSync("diff", ["-r", "--no-dereference", folder.at("from"), folder.at("to")]);
  });

  it("ask a filter, also an asynchronous one, and report what they transfer", async () => {
    using folder = temporary();
    put(folder.at("from/a"), "1234");
    put(folder.at("from/skipped/inside"), "x");
    put(folder.at("from/é/b"), "12");
    put(folder.at("from/é/c.log"), "12");
    symlinkSync("a", folder.at("from/link"));
    const asked: unknown[] = [];
    for (const transfer of [
      (options: object) => uploadDirectory(real.client, folder.at("from"), folder.at("there"), options),
      (options: object) => downloadDirectory(real.client, folder.at("from"), folder.at("back"), options),
    ]) {
      const seen: FolderProgress[] = [];
      const result = await transfer({
        filter: async (path: string, { type, size, mode }: { type: string; size: number; mode: number }) => {
          asked.push([path, type, type === "file" ? size : 0, mode.toString(8)]);
          return path !== "skipped" && !path.endsWith(".log");
        },
        onProgress: (progress: FolderProgress) => seen.push(progress),
      });
      expect(result).toEqual({ files: 2, bytes: 6, exact: true });
      expect(seen.map(({ path }) => path).sort()).toEqual(["a", "é/b"]);
      expect(seen.at(-1)).toMatchObject({ files: 2, bytes: 6 });
    }
    expect(asked).toContainEqual(["link", "symlink", 0, "777"]);
    expect(asked).toContainEqual(["é/b", "file", 2, "644"]);
    expect(asked).not.toContainEqual(["skipped/inside", "file", 1, "644"]);
    for (const to of ["there", "back"]) {
      expect(readdirSync(folder.at(to)).sort()).toEqual(["a", "link", "é"]);
      expect(readdirSync(folder.at(`${to}/é`))).toEqual(["b"]);
    }
  });

  it("reject with the reason of an abort, and leave no process or archive behind", async () => {
    using folder = temporary();
    for (let n = 0; n < 40; n++) put(folder.at(`from/f${n}`), Buffer.alloc(1024 * 1024));
    for (const transfer of [
      (options: object) => uploadDirectory(real.client, folder.at("from"), folder.at("there"), options),
      (options: object) => downloadDirectory(real.client, folder.at("from"), folder.at("back"), options),
    ]) {
      const controller = new AbortController();
      const onProgress = () => controller.abort(new RangeError("enough"));
      const error = await failureOf(transfer({ signal: controller.signal, onProgress }));
      expect(error).toBe(controller.signal.reason);
    }
    // The clean-up is sent before this request.
    await expect.poll(() => readdirSync(folder.at("there"))).toEqual([]);
    await expect
      .poll(() => execFileSync("ps", ["ax", "-o", "args"], { encoding: "utf8" }))
      .not.toContain(folder.at("from"));
  });

  it("refuse wrong arguments before anything is sent", async () => {
    using folder = temporary();
    put(folder.at("file"), "");
    const { client } = real;
    for (const call of [
      () => uploadDirectory(client, folder.at("file"), "/x"),
      () => uploadDirectory(client, 1 as never, "/x"),
      () => uploadDirectory(client, folder.root, "relative"),
      () => uploadDirectory(client, folder.root, "/x", { filters: () => true } as never),
      () => uploadDirectory(client, folder.root, "/x", { filter: "*.ts" } as never),
      () => downloadDirectory(client, "relative", folder.at("to")),
      () => downloadDirectory(client, "/x", folder.at("to"), { onProgres: () => {} } as never),
    ])
      expect(await failureOf(call())).toMatchObject({ code: "ERR_INVALID_ARGUMENT" });
    expect(await failureOf(uploadDirectory(client, folder.at("none"), "/x"))).toMatchObject({
      code: "ENOENT",
    });
    expect(await failureOf(downloadDirectory(client, folder.at("none"), folder.at("to")))).toMatchObject({
      kind: "not-found",
    });
  });
});

describe("the errors of uploadDirectory and downloadDirectory", () => {
  type Transfer = (client: FolderClient, local: string, remote: string) => Promise<unknown>;
  const TRANSFERS: readonly (readonly [name: string, transfer: Transfer])[] = [
    ["uploadDirectory", uploadDirectory],
    ["downloadDirectory", (client, local, remote) => downloadDirectory(client, remote, local)],
  ];

  it.each(TRANSFERS)("name %s and the argument", async (operation, transfer) => {
    using folder = temporary();
    const { client } = real;
    for (const [call, problem] of [
      [() => transfer(null as never, folder.root, "/x"), "client must be a client with fs, got null"],
      [() => transfer({} as never, folder.root, "/x"), "client must be a client with fs, got an object"],
      [() => transfer(client, "", "/x"), "localDir must be a non-empty string, got an empty string"],
      [() => transfer(client, folder.root, "relative"), "remoteDir must be an absolute path"],
      [() => transfer(client, folder.root, ""), "remoteDir must be an absolute path"],
    ] as const) {
      const error = await failureOf(call());
      expect(error).toMatchObject({ code: "ERR_INVALID_ARGUMENT", operation });
      expect((error as Error).message).toContain(`${operation}: ${problem}`);
    }
  });

  it("are those of a filter as they are", async () => {
    using folder = temporary();
    put(folder.at("from/file"), "");
    const filter = () => real.client.fs.readFile(folder.at("none")).then(() => true);
    for (const call of [
      () => uploadDirectory(real.client, folder.at("from"), folder.at("to"), { filter }),
      () => downloadDirectory(real.client, folder.at("from"), folder.at("to"), { filter }),
    ])
      expect(await failureOf(call())).toMatchObject({ operation: "readFile", path: folder.at("none") });
  });

  it.each(TRANSFERS)("name %s, not the method of the client that has failed", async (operation, transfer) => {
    using folder = temporary();
    put(folder.at("file"), "");
    const error = await failureOf(transfer(real.client, folder.root, folder.at("file/x")));
    expect(error).toMatchObject({ code: "ERR_SERVER", operation, path: folder.at("file/x") });
    expect((error as Error).message).toMatch(new RegExp(`^${operation} '`));
    expect((error as Error).stack).toContain("folders.test.ts");
  });
});

describe("downloadDirectory", () => {
  it.each(["a", "b", "excluded/c", "a,b", "none", "a,excluded/c,b"])(
    "brings each name of a file but those that are excluded: %s",
    async (names) => {
      using folder = temporary();
      const excluded = names.split(",");
      // The archive has the data at whichever name the system lists first.
      const all = ["a", "b", "d/\u00ff %", "excluded/c", "large"];
      put(folder.at("from/a"), "12345", 0o640);
      put(folder.at("from/large"), Buffer.alloc(3_000_000, "x"));
      for (const name of all.slice(1, 4)) {
        mkdirSync(dirname(folder.at(`from/${name}`)), { recursive: true });
        linkSync(folder.at("from/a"), folder.at(`from/${name}`));
      }
      linkSync(folder.at("from/large"), folder.at("from/again"));
      const asked = new Map<string, unknown>();
      const seen: string[] = [];
      const result = await downloadDirectory(real.client, folder.at("from"), folder.at("to"), {
        filter: (path, { type, size }) => {
          asked.set(path, [type, size]);
          return !excluded.includes(path);
        },
        onProgress: ({ path }) => seen.push(path),
      });
      const expected = [...all, "again"].filter((name) => !excluded.includes(name));
      expect(seen.sort()).toEqual(expected.sort());
      const large = expected.includes("large") ? 6_000_000 : 3_000_000;
      expect(result).toEqual({
        files: expected.length,
        bytes: (expected.length - 2) * 5 + large,
        exact: true,
      });
      for (const name of all.slice(0, 4)) expect(asked.get(name)).toEqual(["file", 5]);
      expect(asked.get("again")).toEqual(["file", 3_000_000]);
      for (const name of excluded) rmSync(folder.at(`from/${name}`), { force: true });
      execFileSync("diff", ["-r", folder.at("from"), folder.at("to")]);
      // One file there is one file here.
      const stats = expected
        .filter((name) => all.slice(0, 4).includes(name))
        .map((name) => lstatSync(folder.at(`to/${name}`)));
      expect(new Set(stats.map(({ ino }) => ino)).size).toBe(1);
      expect(stats[0]).toMatchObject({ mode: 0o100640, mtimeMs: 1_600_000_000_000 });
    },
  );

  it("brings a hard link whose other name is in a directory that is excluded", async () => {
    using folder = temporary();
    for (const name of ["a", "m", "z"]) put(folder.at(`from/${name}/file`), "12345");
    for (const name of ["a", "z"]) linkSync(folder.at("from/m/file"), folder.at(`from/${name}/hard`));
    for (const excluded of ["a", "m", "z"]) {
      const filter = (path: string): boolean => path !== excluded;
      const result = await downloadDirectory(real.client, folder.at("from"), folder.at(excluded), { filter });
      expect(result).toMatchObject({ files: excluded === "m" ? 4 : 3 });
      execFileSync("diff", ["-r", "-x", excluded, folder.at("from"), folder.at(excluded)]);
    }
  });

  it("makes the local folder when the first entry arrives, not before", async () => {
    using folder = temporary();
    mkdirSync(folder.at("empty"));
    const signal = AbortSignal.abort(new RangeError("enough"));
    await failureOf(downloadDirectory(real.client, folder.at("none"), folder.at("to")));
    await failureOf(downloadDirectory(real.client, folder.at("empty"), folder.at("to"), { signal }));
    expect(readdirSync(folder.root)).toEqual(["empty"]);
    await downloadDirectory(real.client, folder.at("empty"), folder.at("to/new"));
    expect(readdirSync(folder.at("to/new"))).toEqual([]);
  });
});

describe("uploadDirectory", () => {
  it("leaves out what vanishes, and takes a file as it is read", async () => {
    using folder = temporary();
    for (const name of ["a", "gone", "shrinks", "grows", "z"]) put(folder.at(`from/${name}`), "123456");
    put(folder.at("from/directory/x"), "x");
    const filter = (path: string): boolean => {
      const local = folder.at(`from/${path}`);
      if (path === "gone") rmSync(local);
      if (path === "directory") rmSync(local, { recursive: true });
      if (path === "shrinks") truncateSync(local, 2);
      if (path === "grows") writeFileSync(local, "1234567890");
      return true;
    };
    await uploadDirectory(real.client, folder.at("from"), folder.at("there"), { filter });
    expect(readdirSync(folder.at("there")).sort()).toEqual(["a", "directory", "grows", "shrinks", "z"]);
    expect(readFileSync(folder.at("there/shrinks"), "utf8")).toBe("12");
    expect(readFileSync(folder.at("there/grows"), "utf8")).toBe("123456");
  });

  it("unpacks nothing if a large file becomes shorter while it is read", async () => {
    using folder = temporary();
    put(folder.at("from/a"), "x");
    put(folder.at("from/large"), Buffer.alloc(5_000_000));
    const filter = (path: string): boolean => {
      if (path === "large") truncateSync(folder.at("from/large"), 4_000_000);
      return true;
    };
    const error = await failureOf(
      uploadDirectory(real.client, folder.at("from"), folder.at("there"), { filter }),
    );
    expect(error).toMatchObject({ code: "ERR_INVALID_ARGUMENT" });
    expect((error as Error).message).toContain("'large' became shorter");
    await expect.poll(() => readdirSync(folder.at("there"))).toEqual([]);
  });

  it("leaves out sockets, pipes and devices", async () => {
    using folder = temporary();
    put(folder.at("from/file"), "x");
    execFileSync("mkfifo", [folder.at("from/pipe")]);
    expect(await uploadDirectory(real.client, folder.at("from"), folder.at("there"))).toMatchObject({
      files: 1,
    });
    expect(readdirSync(folder.at("there"))).toEqual(["file"]);
  });
});

describe("on a server without tar", () => {
  it("files are transferred one by one", async () => {
    await using server = new TestServer();
    await using client = await ExecServerClient.connect({ transport: server.transport });
    using folder = temporary();
    put(folder.at("from/a"), "1234");
    put(folder.at("from/d/é"), Buffer.alloc(3_000_000, "x"));
    put(folder.at("from/node_modules/x"), "");
    mkdirSync(folder.at("from/empty"));
    symlinkSync("a", folder.at("from/link"));
    const filter = (path: string): boolean => path !== "node_modules";
    const result = { files: 2, bytes: 3_000_004, exact: false };
    expect(await uploadDirectory(client, folder.at("from"), "/to/there", { filter })).toEqual(result);
    expect(server.files.paths()).toEqual(["/to/there/a", "/to/there/d/é"]);
    server.files.write("/to/there/node_modules/y", "");
    expect(await downloadDirectory(client, "/to/there", folder.at("back"), { filter })).toEqual(result);
    expect(readdirSync(folder.at("back")).sort()).toEqual(["a", "d", "empty"]);
    expect(readFileSync(folder.at("back/d/é")).equals(Buffer.alloc(3_000_000, "x"))).toBe(true);
    expect(lstatSync(folder.at("back/empty")).isDirectory()).toBe(true);
  });

  it("nothing is written through a link, and a file or a link makes way for a directory", async () => {
    await using relayed = await relayedFiles(({ method }) =>
      method === "process/start"
        ? { error: { code: -32603, message: "No such file or directory (os error 2)" } }
        : undefined,
    );
    using folder = temporary();
    for (const name of ["a", "b", "d/f", "e/f", "g/f", "h/i/f"]) put(folder.at(`from/${name}`), "new");
    put(folder.at("out/f"), "outside");
    put(folder.at("there/g"), "a file");
    put(folder.at("there/h/i/f"), "old");
    symlinkSync(folder.at("out/f"), folder.at("there/a"));
    symlinkSync(folder.at("out/none"), folder.at("there/b"));
    symlinkSync(folder.at("out"), folder.at("there/d"));
    symlinkSync(folder.at("out/none"), folder.at("there/e"));
    const sent = await uploadDirectory(relayed.client, folder.at("from"), folder.at("there"));
    expect(sent).toEqual({ files: 6, bytes: 18, exact: false });
    execFileSync("diff", ["-r", "--no-dereference", folder.at("from"), folder.at("there")]);
    expect(readdirSync(folder.at("out"))).toEqual(["f"]);
    expect(readFileSync(folder.at("out/f"), "utf8")).toBe("outside");
  });
});
