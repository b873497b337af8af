import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { Session } from "../../../src/client/session.ts";
import type { FileSession, Shell } from "../../../src/filesystem/file-session.ts";
import { packStream, unpack } from "../../../src/filesystem/shell/archive.ts";
import { linkStats, makeLink, readLink } from "../../../src/filesystem/shell/links.ts";
import { putFile } from "../../../src/filesystem/shell/put.ts";
import { runFileScript, scriptPath } from "../../../src/filesystem/shell/run-script.ts";
import type { ExecProcess } from "../../../src/index.ts";
import { contentsOf } from "../../../src/internal/contents.ts";
import { Transfer } from "../../../src/node/folders/options.ts";
import { uploadArchive } from "../../../src/node/folders/upload.ts";
import { listingOf, makeFolder } from "../../node/folders/folder.ts";
import { failureOf } from "../../support/failure.ts";
import { realClient } from "../../support/real-client.ts";

const BUSYBOX = "/bin/busybox";
const BSDTAR = "/usr/bin/bsdtar";
const BWRAP = "/usr/bin/bwrap";

/** Every shell that can be /bin/sh and is installed here, with the tools of this system or those of busybox. */
const SHELLS = ["/bin/dash", "/bin/bash", BUSYBOX, "/bin/mksh", "/bin/zsh"].filter((path) =>
  existsSync(path),
);
const TOOLS = ["the system", ...(existsSync(BUSYBOX) ? ["busybox"] : [])];
const COMBINATIONS = [
  ...SHELLS.flatMap((shell) => TOOLS.map((tools) => ({ shell, tools }))),
  { shell: SHELLS[0] as string, tools: "the system without perl" },
];

/** What the scripts use, apart from perl. */
const PLAIN_TOOLS = "cat chmod dd head ln ls mkdir mv printf readlink rm stat tar".split(" ");

let real: Awaited<ReturnType<typeof realClient>>;
beforeAll(async () => {
  real = await realClient();
});
afterAll(() => real[Symbol.asyncDispose]());

describe.each(COMBINATIONS)("the file operations in $shell with the tools of $tools", ({ shell, tools }) => {
  /** One of the shells has the tar of BSD. */
  const hasBsdTar = tools === "the system" && shell === SHELLS[0] && existsSync(BSDTAR);
  let folder: string;
  let session: FileSession;
  let at: (name: string) => { path: string; sandbox: null };
  let count = 0;
  /** What starts the shell. */
  let wrapper: readonly string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "shells-"));
    symlinkSync(shell, join(folder, "sh"));
    let path = "/usr/bin:/bin";
    if (tools === "busybox") {
      path = join(folder, "tools");
      mkdirSync(path);
      for (const name of execFileSync(BUSYBOX, ["--list"], { encoding: "utf8" }).trim().split("\n"))
        symlinkSync(BUSYBOX, join(path, name));
    } else if (tools === "the system without perl") {
      path = join(folder, "tools");
      mkdirSync(path);
      for (const name of PLAIN_TOOLS) symlinkSync(`/usr/bin/${name}`, join(path, name));
    } else if (hasBsdTar) {
      symlinkSync(BSDTAR, join(folder, "tar"));
      path = `${folder}:${path}`;
    }
    const shellOf: Shell = {
      start(script, args, { env, input: _input, sandbox: _sandbox, ...options }) {
        const argv = [...wrapper, join(folder, "sh"), "-c", script, "sh", ...args];
        const settings = { env: { ...env, PATH: path, LC_ALL: "C" }, envPolicy: null, cwd: "/", ...options };
        return real.client.start(argv, { ...settings, stdin: "pipe" });
      },
      async run(script, args, options) {
        const process = (await this.start(script, args, options)) as ExecProcess;
        if (options.input) void process.write(options.input);
        const [stdout, stderr, { exitCode }] = await Promise.all([
          new Response(process.stdout).bytes(),
          new Response(process.stderr).bytes(),
          process.closed,
        ]);
        return { exitCode, stdout, stderr } as Awaited<ReturnType<Shell["run"]>>;
      },
    };
    const opened = real.client.openSession();
    if (!(opened instanceof Session)) throw new Error("the client is connected");
    const { rpc, files, watcher, server } = opened;
    session = { rpc, files, watcher, server, shell: shellOf };
  });
  beforeEach(() => {
    wrapper = [];
    const work = join(folder, `work-${++count}`);
    mkdirSync(work);
    at = (name) => ({ path: `file://${work}/${name}`, sandbox: null });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const nameOf = ({ path }: { path: string }): string => decodeURIComponent(path.slice("file://".length));
  const put = (name: string, data: string | Uint8Array, options = {}) =>
    putFile(session, at(name), contentsOf(data), { flag: "a", ...options });
  const bytesIn = (name: string): Buffer => readFileSync(nameOf(at(name)));
  const modeOf = (name: string): string => (lstatSync(nameOf(at(name))).mode & 0o7777).toString(8);

  it("writes every byte", async () => {
    const every = Buffer.from(Array.from({ length: 512 }, (_, n) => n % 256));
    await put("every", every);
    await put("every", "\\c\\0101%s\n\n");
    expect(bytesIn("every")).toEqual(Buffer.concat([every, Buffer.from("\\c\\0101%s\n\n")]));
  });

  it("appends more than a variable holds", async () => {
    const much = Buffer.alloc(5 * 1024 * 1024 + 3, "much\0");
    await put("much", "first,");
    await put("much", much);
    expect(bytesIn("much").equals(Buffer.concat([Buffer.from("first,"), much]))).toBe(true);
  });

  it.each([25_000, 300_000])("appends %i bytes in one piece beside other appends", async (size) => {
    const lines = Array.from({ length: 12 }, (_, n) => `${String.fromCharCode(97 + n).repeat(size - 1)}\n`);
    await Promise.all(lines.map((line) => put("log", line)));
    const found = bytesIn("log")
      .toString()
      .split(/(?<=\n)/);
    expect(found.sort().join("") === lines.join("")).toBe(true);
  });

  it("appends to a file that others create and remove at the same time", async () => {
    const blinking =
      "const fs = require('fs'); for (;;) { fs.writeFileSync(process.argv[1], ''); fs.unlinkSync(process.argv[1]); }";
    const others = spawn(process.execPath, ["-e", blinking, nameOf(at("blinking"))]);
    try {
      await vi.waitUntil(() => existsSync(nameOf(at("blinking"))), { interval: 1 });
      for (let n = 0; n < 10; n++) await put("blinking", "line\n");
    } finally {
      others.kill("SIGKILL");
    }
  });

  it("tells what the system has against a file, but not its path", async () => {
    const denied = { path: "file:///sys/kernel/file", sandbox: null };
    await expect(putFile(session, denied, contentsOf("x"), { flag: "a" })).rejects.toThrow(
      /: (permission denied|read-only file system)$/i,
    );
  });

  it("creates a file exclusively, once", async () => {
    const all = await Promise.allSettled(
      Array.from({ length: 8 }, (_, n) => put("lock", `${n}`, { flag: "wx" })),
    );
    expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const one of all) {
      if (one.status === "rejected")
        expect(one.reason).toMatchObject({ code: "ERR_SERVER", kind: "already-exists" });
    }
    expect(bytesIn("lock")).toHaveLength(1);
  });

  it("gives a new file its mode less the umask, and leaves that of others", async () => {
    const umask = 0o777 & ~0o755;
    await put("private", "x", { mode: 0o640 });
    await put("open", "x", { mode: 0o777 });
    await put("read-only", "x", { flag: "w", mode: "444" });
    await put("private", "y", { mode: 0o666 });
    expect(modeOf("private")).toBe("640");
    expect(modeOf("open")).toBe((0o777 & ~umask).toString(8));
    expect(modeOf("read-only")).toBe("444");
  });

  it("fails on a full disk", async () => {
    const full = { path: "file:///dev/full", sandbox: null };
    const write = (bytes: number) => putFile(session, full, contentsOf(new Uint8Array(bytes)), { flag: "a" });
    expect(await failureOf(write(10))).toMatchObject({ code: "ERR_SERVER" });
    expect(await failureOf(write(100_000))).toMatchObject({ code: "ERR_SERVER" });
  });

  const move = (from: string, to: string) =>
    runFileScript(session, ["mv", scriptPath(session, at(to).path)], at(from), {});

  it("renames, also directories over empty ones, and never into a directory", async () => {
    await put("file", "x");
    mkdirSync(nameOf(at("full/sub")), { recursive: true });
    mkdirSync(nameOf(at("empty")));
    symlinkSync("full", nameOf(at("link")));
    expect(await failureOf(move("file", "full"))).toMatchObject({ kind: "not-a-file" });
    expect(await failureOf(move("full", "file"))).toMatchObject({ kind: "not-a-directory" });
    expect(await failureOf(move("empty", "full"))).toMatchObject({ kind: "not-empty" });
    expect(await failureOf(move("none", "new"))).toMatchObject({ kind: "not-found" });
    expect(await failureOf(move("full", "full/x"))).toMatchObject({ code: "ERR_SERVER" });
    await move("full", "empty");
    await move("file", "link");
    expect(readdirSync(nameOf(at(""))).sort()).toEqual(["empty", "link"]);
    expect(bytesIn("link").toString()).toBe("x");
  });

  it("renames a link onto itself, and no link with a slash at its end", async () => {
    mkdirSync(nameOf(at("dir/sub")), { recursive: true });
    symlinkSync("dir", nameOf(at("link")));
    await put("file", "x");
    await move("link", "link");
    for (const [from, to] of [
      ["link/", "dir"],
      ["link/", "new"],
      ["file/", "new"],
      ["file", "new/"],
    ] as const)
      expect(await failureOf(move(from, to))).toMatchObject({ kind: "not-a-directory" });
    await move("dir/", "moved/");
    expect(readdirSync(nameOf(at(""))).sort()).toEqual(["file", "link", "moved"]);
    expect(readlinkSync(nameOf(at("link")))).toBe("dir");
  });

  it("renames once, and does not find the path after that", async () => {
    for (let round = 0; round < 5; round++) {
      await put("file", "x");
      const all = await Promise.allSettled(Array.from({ length: 4 }, (_, n) => move("file", `to-${n}`)));
      expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      for (const one of all)
        if (one.status === "rejected") expect(one.reason).toMatchObject({ kind: "not-found" });
    }
  });

  it.skipIf(!existsSync(BWRAP))("renames nothing to another mount of the same file system", async () => {
    const [one, two] = [nameOf(at("one")), nameOf(at("two%20%5C"))];
    for (const name of [one, two]) mkdirSync(name);
    mkdirSync(join(one, "dir"));
    writeFileSync(join(one, "dir/inside"), "x");
    writeFileSync(join(one, "file"), "x");
    wrapper = [BWRAP, "--dev-bind", "/", "/", "--bind", one, one, "--bind", two, two];
    for (const name of ["file", "dir", "dir/inside"]) {
      const error = await failureOf(move(`one/${name}`, "two%20%5C/new"));
      expect(error).toMatchObject({ code: "ERR_SERVER" });
      expect((error as Error).message).toContain("Invalid cross-device link");
    }
    await move("one/file", "one/dir/moved");
    await put("two%20%5C/file", "x");
    await move("two%20%5C/file", "two%20%5C/new");
    expect(readdirSync(join(one, "dir")).sort()).toEqual(["inside", "moved"]);
    expect(readdirSync(two)).toEqual(["new"]);
  });

  it("makes and reads links, and their metadata", async () => {
    const target = "-a \\ %s\\0101\n é\n";
    await makeLink(session, target, at("link"), undefined);
    expect(await readLink(session, at("link"), undefined)).toBe(target);
    const stats = await linkStats(session, at("link"), undefined);
    expect(stats).toMatchObject({ size: Buffer.byteLength(target) });
    expect([stats.isSymbolicLink(), stats.isFile(), stats.isDirectory()]).toEqual([true, false, false]);
    expect(Math.abs(stats.mtimeMs - lstatSync(nameOf(at("link"))).mtimeMs)).toBeLessThan(1_001);
    expect(await failureOf(readLink(session, at(""), undefined))).toMatchObject({ code: "ERR_SERVER" });
  });

  it("makes a link once, also to a directory", async () => {
    mkdirSync(nameOf(at("target")));
    const make = () => makeLink(session, nameOf(at("target")), at("link"), undefined);
    const all = await Promise.allSettled(Array.from({ length: 8 }, make));
    expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const one of all) {
      if (one.status === "rejected")
        expect(one.reason).toMatchObject({ code: "ERR_SERVER", kind: "already-exists" });
    }
    expect(readdirSync(nameOf(at("target")))).toEqual([]);
  });

  it("makes private directories", async () => {
    await runFileScript(session, ["mkdir"], at("new"), {});
    expect(modeOf("new")).toBe("700");
    expect(await failureOf(runFileScript(session, ["mkdir"], at("new"), {}))).toMatchObject({
      kind: "already-exists",
    });
  });

  it("changes modes", async () => {
    await put("file", "x");
    await runFileScript(session, ["chmod", "00751"], at("file"), {});
    expect(modeOf("file")).toBe("751");
  });

  it("packs and unpacks a folder, also one whose directories can't be written", async () => {
    makeFolder(nameOf(at("from")), 60);
    const operation = { operation: "packDirectory" };
    const stream = packStream(async () => session, at("from"), undefined, operation);
    await unpack(session, at("to/new"), contentsOf(stream), undefined);
    // busybox does not keep the times of links, nor those of directories that it has written to.
    const listing = (name: string): string[] =>
      listingOf(nameOf(at(name)))
        .split("\n")
        .map((line) => line.replace(/^([dl] \d+) \d+/, "$1"))
        .sort();
    expect(listing("to/new")).toEqual(listing("from"));
    expect(
      await failureOf(
        packStream(async () => session, at("none"), undefined, operation)
          .getReader()
          .read(),
      ),
    ).toMatchObject({
      kind: "not-found",
    });
  });

  it("unpacks a directory in the place of a link or a file, also where the path has backslashes", async () => {
    const from = nameOf(at("from"));
    for (const name of ["sub", "sub/é", "d", "new\nline"]) {
      mkdirSync(join(from, name), { recursive: true });
      writeFileSync(join(from, name, "f"), "new");
      chmodSync(join(from, name), 0o750);
    }
    chmodSync(join(from, "sub"), 0o500);
    const to = at("to%5Ctx%5C%5C");
    mkdirSync(nameOf(at("to\tx")));
    mkdirSync(nameOf(to));
    mkdirSync(nameOf(at("out")));
    writeFileSync(nameOf(at("out/f")), "outside");
    symlinkSync("../out", join(nameOf(to), "sub"));
    writeFileSync(join(nameOf(to), "d"), "a file");
    const archive = Readable.from(uploadArchive(from, new Transfer({})));
    await unpack(session, to, contentsOf(archive), undefined);
    expect(listingOf(nameOf(to))).toBe(listingOf(from));
    expect(readFileSync(nameOf(at("out/f")), "utf8")).toBe("outside");
    expect(readdirSync(nameOf(at("out")))).toEqual(["f"]);
    expect(readdirSync(nameOf(at("to\tx")))).toEqual([]);
  });

  it.each(["dd", "tar"])("refuses to pack without %s", async (missing) => {
    const few = nameOf(at("few"));
    mkdirSync(few);
    for (const name of ["printf", "tar", "dd"]) {
      if (name !== missing) symlinkSync(`/usr/bin/${name}`, join(few, name));
    }
    wrapper = ["/usr/bin/env", `PATH=${few}`];
    const stream = packStream(async () => session, at(""), undefined, { operation: "packDirectory" });
    const error = await failureOf(stream.getReader().read());
    expect(error).toMatchObject({ code: "ERR_UNSUPPORTED" });
    expect((error as Error).message).toContain(`${missing}: not found`);
  });

  it("keeps a private directory of an upload private, also if the rest is missing", async () => {
    const from = nameOf(at("from"));
    mkdirSync(from);
    mkdirSync(join(from, "private"), { mode: 0o700 });
    writeFileSync(join(from, "private/f"), "x");
    const pieces: Uint8Array[] = [];
    for await (const piece of uploadArchive(from, new Transfer({}))) pieces.push(piece);
    // Without the directory's last entry, and without the end.
    const part = Buffer.concat(pieces).subarray(0, -(512 + 1024));
    await unpack(session, at("to"), contentsOf(part), undefined).catch(() => {});
    expect(modeOf("to/private")).toBe("700");
    expect(bytesIn("to/private/f").toString()).toBe("x");
  });

  it("packs more than may wait to be read", async () => {
    mkdirSync(nameOf(at("from")));
    writeFileSync(nameOf(at("from/sparse")), "");
    truncateSync(nameOf(at("from/sparse")), 80 * 1024 * 1024);
    const stream = packStream(async () => session, at("from"), undefined, { operation: "packDirectory" });
    let length = 0;
    for await (const piece of stream) length += piece.length;
    // The tar of BSD leaves out holes.
    expect(length).toBeGreaterThan(hasBsdTar ? 0 : 80 * 1024 * 1024);
  });

  it("finds names of any bytes", async () => {
    // Every byte that is not UTF-8 on its own, and what shells use inside.
    const odd = Array.from({ length: 128 }, (_, n) => `%${(n + 128).toString(16).toUpperCase()}`).join("");
    await put(`${odd}%5C0101%0A`, "x");
    const [found] = readdirSync(nameOf(at("")), { encoding: "buffer" });
    const expected = [...Array.from({ length: 128 }, (_, n) => n + 128), ...Buffer.from("\\0101\n")];
    expect([...(found ?? [])]).toEqual(expected);
  });
});
