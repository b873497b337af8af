import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
} from "node:fs";
import { describe, expect, it } from "vitest";
import { decodeHeader, encodeHeader, type TarEntry } from "../../../src/node/folders/tar-header.ts";
import { readTar } from "../../../src/node/folders/tar-reader.ts";
import { type TarSource, writeTar } from "../../../src/node/folders/tar-writer.ts";
import { downloadDirectory, type FolderClient } from "../../../src/node.ts";
import { failureOf } from "../../support/failure.ts";
import { listingOf, makeFolder, put, temporary } from "./folder.ts";

const entry = (name: string, parts: Partial<TarEntry> = {}): TarEntry => ({
  type: "file",
  name,
  size: 0,
  mode: 0o644,
  mtime: 1_500_000_000,
  target: "",
  ...parts,
});
const source = (name: string, text = "", parts: Partial<TarEntry> = {}): TarSource => ({
  ...entry(name, { size: text.length, ...parts }),
  data: () => [Buffer.from(text)],
});

async function archiveOf(...entries: TarSource[]): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const all = async function* () {
    yield* entries;
  };
  for await (const piece of writeTar(all())) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** The archive in chunks of this size. */
async function* chunksOf(archive: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < archive.length; at += size) yield archive.subarray(at, at + size);
}

async function read(archive: Buffer, size = 1000): Promise<[TarEntry, string][]> {
  const found: [TarEntry, string][] = [];
  for await (const { data, ...entry } of readTar(chunksOf(archive, size))) {
    let text = "";
    for await (const piece of data()) text += piece.toString();
    found.push([entry, text]);
  }
  return found;
}

/** A client of a server that packs this archive. No real tar makes hostile ones. */
const clientOf = (archive: Buffer): FolderClient =>
  ({ fs: { packDirectory: () => new Blob([new Uint8Array(archive)]).stream() } }) as unknown as FolderClient;

describe("archives", () => {
  it.each([1, 511, 512, 513, 100_000])(
    "are read as they were written, in chunks of %i bytes",
    async (size) => {
      const entries = [
        source("a", "text"),
        source("n".repeat(100), "x".repeat(512)),
        source("n".repeat(101), "y".repeat(513)),
        source(`${"é".repeat(200)}/\n`, ""),
        source("link", "", { type: "symlink", target: "t".repeat(300) }),
        source("directory/", "", { type: "directory", mode: 0o700 }),
      ];
      const found = await read(await archiveOf(...entries), size);
      expect(
        found.map(([{ name, target, type, mode, mtime }, text]) => ({
          name,
          target,
          type,
          mode,
          mtime,
          text,
        })),
      ).toEqual(
        entries.map(({ name, target, type, mode, mtime, data }) => {
          return {
            name,
            target,
            type,
            mode,
            mtime,
            text: Buffer.concat([...(data() as Buffer[])]).toString(),
          };
        }),
      );
    },
  );

  it("keep sizes beyond 8 GiB", () => {
    for (const size of [8 ** 11 - 1, 8 ** 11, 2 ** 40 + 1]) {
      expect(decodeHeader(encodeHeader(entry("x", { size })))).toMatchObject({ size });
    }
  });

  it.each(
    ["tar", "bsdtar", "busybox"].filter((tool) =>
      ["/bin", "/usr/bin"].some((bin) => existsSync(`${bin}/${tool}`)),
    ),
  )("of %s are read with all names", async (tool) => {
    using folder = temporary();
    makeFolder(folder.at("from"), 50);
    const command = tool === "busybox" ? ["busybox", "tar"] : [tool];
    const archive = execFileSync("env", [...command, "-cf", "-", "-C", folder.at("from"), "."], {
      maxBuffer: 2 ** 28,
    });
    await downloadDirectory(clientOf(archive), "/any", folder.at("to"));
    expect(listingOf(folder.at("to"))).toBe(listingOf(folder.at("from")));
  });

  it("of POSIX format are read, with long names and hard links", async () => {
    using folder = temporary();
    makeFolder(folder.at("from"), 10);
    execFileSync("ln", [folder.at("from/d1/e1/f1"), folder.at("from/hard")]);
    const long = `d1/${"a".repeat(60)}/${"b".repeat(60)}`;
    put(folder.at(`from/${long}`), "long");
    for (const [format, ...names] of [
      ["posix", "."],
      ["gnu", "."],
      ["ustar", "d1", "hard"],
    ]) {
      const command = [`--format=${format}`, "-cf", "-", "-C", folder.at("from"), ...names];
      const archive = execFileSync("tar", command, { maxBuffer: 2 ** 28 });
      await downloadDirectory(clientOf(archive), "/any", folder.at(`${format}`));
      expect(readFileSync(folder.at(`${format}/hard`))).toEqual(readFileSync(folder.at("from/d1/e1/f1")));
      expect(readFileSync(folder.at(`${format}/${long}`), "utf8")).toBe("long");
      if (format !== "ustar") expect(listingOf(folder.at(`${format}`))).toBe(listingOf(folder.at("from")));
    }
  });

  it("keep times before 1970 and after 2242", () => {
    for (const mtime of [-1, -86_400, -(2 ** 40), 0, 8 ** 11 - 1, 8 ** 11, 2 ** 40])
      expect(decodeHeader(encodeHeader(entry("x", { mtime })))).toMatchObject({ mtime });
    expect(decodeHeader(encodeHeader(entry("x", { mtime: -0.5 })))).toMatchObject({ mtime: -1 });
  });

  it("with a time that is no number are refused", async () => {
    const record = "13 mtime=abc\n";
    const head = encodeHeader(entry("x", { size: record.length }));
    head.write("x", 156);
    // The checksum counts the bytes of the header, with spaces for itself.
    head.fill(" ", 148, 156);
    head.write(
      `${head
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, "0")}\0 `,
      148,
    );
    const extension = Buffer.concat([head, Buffer.from(record.padEnd(512, "\0"))]);
    const archive = Buffer.concat([extension, await archiveOf(source("a", "text"))]);
    expect(await failureOf(read(archive))).toMatchObject({ code: "ERR_PROTOCOL" });
  });

  it("that end early are refused, wherever that is", async () => {
    const archive = await archiveOf(source("a", "text"), source("n".repeat(200), "x".repeat(2_000)));
    for (let length = 0; length < archive.length - 1024; length += 97)
      expect(await failureOf(read(archive.subarray(0, length)))).toMatchObject({ code: "ERR_PROTOCOL" });
  });

  it("with damaged headers are refused", async () => {
    const archive = await archiveOf(source("a", "text"));
    archive[3] = 0x41;
    expect(await failureOf(read(archive))).toMatchObject({ code: "ERR_PROTOCOL" });
    const negative = encodeHeader(entry("x", { size: -1 }));
    expect(await failureOf(read(negative))).toMatchObject({ code: "ERR_PROTOCOL" });
  });
});

const download = async (folder: { at: (name: string) => string }, ...entries: TarSource[]) =>
  await downloadDirectory(clientOf(await archiveOf(...entries)), "/any", folder.at("to"));

describe("an archive with a name twice", () => {
  const symlink = source("a", "", { type: "symlink", target: "nowhere" });
  const hardLink = source("a", "", { type: "link", target: "b" });
  const directory = source("a", "", { type: "directory", mode: 0o750 });

  it.each<[string, readonly TarSource[], string]>([
    ["a link, then a file", [symlink, source("a", "file")], "file"],
    ["a hard link, then a file", [hardLink, source("a", "file")], "file"],
    ["two files", [source("a", "1".repeat(2_000_000)), source("a", "2")], "2"],
    ["a file, then a hard link", [source("a", "file"), hardLink], "b"],
  ])("has the last one written: %s", async (_, entries, expected) => {
    using folder = temporary();
    await download(folder, source("b", "b"), ...entries);
    expect(lstatSync(folder.at("to/a")).isFile()).toBe(true);
    expect(readFileSync(folder.at("to/a"), "utf8")).toBe(expected);
  });

  it("has the last one written: links and directories", async () => {
    using folder = temporary();
    await download(folder, source("a", "file"), symlink);
    expect(readlinkSync(folder.at("to/a"))).toBe("nowhere");
    await download(folder, symlink, directory);
    expect(lstatSync(folder.at("to/a")).isDirectory()).toBe(true);
    const other = { ...directory, name: "d" };
    await download(folder, source("d", "file"), other, source("d/inside", "x"));
    expect(readFileSync(folder.at("to/d/inside"), "utf8")).toBe("x");
  });
});

describe("an archive with hard links", () => {
  it("has all of them, while another process keeps replacing what they link to", async () => {
    using folder = temporary();
    mkdirSync(folder.at("to"));
    const replacing = `const fs = require("node:fs");
      for (;;) { fs.writeFileSync("new", "x"); fs.renameSync("new", "to/file"); }`;
    const child = spawn(process.execPath, ["-e", replacing], { cwd: folder.root, stdio: "ignore" });
    const exited = once(child, "exit");
    try {
      await expect.poll(() => existsSync(folder.at("to/file"))).toBe(true);
      const names = Array.from({ length: 500 }, (_, n) => `hard-${n}`);
      const links = names.map((name) => source(name, "", { type: "link", target: "file" }));
      await download(folder, source("file", "x"), ...links);
      expect(readdirSync(folder.at("to")).sort()).toEqual(["file", ...names].sort());
    } finally {
      child.kill("SIGKILL");
      await exited;
    }
  });
});

describe("a hostile archive", () => {
  it.each(["../out", "a/../../out", "..", "/../out", "a/..", "./../out"])(
    "can't write to %j",
    async (name) => {
      using folder = temporary();
      const error = await failureOf(download(folder, source(name, "x")));
      expect(error).toMatchObject({ code: "ERR_PROTOCOL" });
      // Not even the folder has been made.
      expect(readdirSync(folder.root)).toEqual([]);
    },
  );

  it("has its absolute names written inside", async () => {
    using folder = temporary();
    await download(folder, source(`${folder.at("out")}`, "x"), source("//etc//passwd", "y"));
    expect(readFileSync(folder.at(`to/etc/passwd`), "utf8")).toBe("y");
    expect(readdirSync(folder.root)).toEqual(["to"]);
  });

  it("can't write through a link of its own", async () => {
    using folder = temporary();
    mkdirSync(folder.at("outside"));
    const link = source("link", "", { type: "symlink", target: folder.at("outside") });
    await failureOf(download(folder, link, source("link/file", "x")));
    await failureOf(
      download(folder, source("link2/file", "x"), { ...link, name: "link2" }, source("link2/b", "x")),
    );
    const nested = source("link/inner", "", { type: "symlink", target: "x" });
    await failureOf(download(folder, link, nested));
    await failureOf(download(folder, link, source("link/directory", "", { type: "directory" })));
    expect(readdirSync(folder.at("outside"))).toEqual([]);
  });

  it("can't write through a link that was there, file or directory", async () => {
    using folder = temporary();
    put(folder.at("outside/file"), "outside");
    mkdirSync(folder.at("to"));
    symlinkSync(folder.at("outside"), folder.at("to/directory"));
    symlinkSync(folder.at("outside/file"), folder.at("to/file"));
    await download(folder, source("directory/file", "new"), source("file", "new"));
    expect(readFileSync(folder.at("outside/file"), "utf8")).toBe("outside");
    expect(lstatSync(folder.at("to/directory")).isDirectory()).toBe(true);
    expect(readFileSync(folder.at("to/file"), "utf8")).toBe("new");
  });

  it("can't link to files that it did not bring", async () => {
    using folder = temporary();
    put(folder.at("secret"), "secret");
    mkdirSync(folder.at("to"));
    symlinkSync(folder.at("secret"), folder.at("to/link"));
    for (const target of ["../secret", folder.at("secret"), "link"]) {
      const error = await failureOf(download(folder, source("hard", "", { type: "link", target })));
      expect(error).toMatchObject({ code: "ERR_PROTOCOL" });
    }
    expect(readdirSync(folder.at("to"))).toEqual(["link"]);
  });

  it("gets no special permission bits", async () => {
    using folder = temporary();
    await download(
      folder,
      source("file", "x", { mode: 0o6755 }),
      source("d", "", { type: "directory", mode: 0o3777 }),
    );
    expect(lstatSync(folder.at("to/file")).mode & 0o7777).toBe(0o755);
    expect(lstatSync(folder.at("to/d")).mode & 0o7777).toBe(0o777);
  });

  it("has its links made as they are, without a way out of the folder for what is written", async () => {
    using folder = temporary();
    await download(folder, source("l", "", { type: "symlink", target: "/etc" }));
    expect(readlinkSync(folder.at("to/l"))).toBe("/etc");
  });
});
