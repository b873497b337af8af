import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import { realFiles } from "../support/remote-files.ts";

const MIB = 1024 * 1024;

let real: Awaited<ReturnType<typeof realFiles>>;
beforeAll(async () => {
  real = await realFiles();
});
afterAll(() => real[Symbol.asyncDispose]());

/** Bytes that differ from block to block. */
function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7 + (i >> 16)) & 0xff);
}

describe("readFile() returns what writeFile() wrote", () => {
  it.each([0, 1, 2, 3, 255, 65_536, MIB - 1, MIB, MIB + 1, 2 * MIB, 3 * MIB + 7, 8 * MIB])(
    "for %i bytes",
    async (length) => {
      const bytes = pattern(length);
      const path = real.path(`bytes-${length}`);
      await real.fs.writeFile(path, bytes);
      expect(Buffer.compare(readFileSync(path), bytes)).toBe(0);
      expect(Buffer.compare(await real.fs.readFile(path), bytes)).toBe(0);
    },
  );

  it("for text with every kind of character and a byte order mark", async () => {
    const text = "\uFEFFgrün\r\n\0\u2028😀 \uFEFF\ud7ff\n";
    await real.fs.writeFile(real.path("text"), text);
    expect(readFileSync(real.path("text"), "utf8")).toBe(text);
    const read = await real.fs.readFile(real.path("text"), "utf8");
    expect(read).toBe(text);
    expectTypeOf(read).toEqualTypeOf<string>();
    expect(await real.fs.readFile(real.path("text"), { encoding: "utf-8" })).toBe(text);
  });

  it("for long text whose blocks end within characters", async () => {
    const text = "€".repeat(MIB);
    await real.fs.writeFile(real.path("long"), text, "utf8");
    expect(await real.fs.readFile(real.path("long"), "utf8")).toBe(text);
  });

  it("for every kind of view of bytes, without the memory outside the view", async () => {
    const memory = Uint8Array.from([9, 1, 2, 3, 4, 9]);
    const views = [
      memory.subarray(1, 5),
      new DataView(memory.buffer, 1, 4),
      new Uint16Array(memory.slice(1, 5).buffer),
      Buffer.from(memory.buffer, 1, 4),
      memory.slice(1, 5).buffer,
    ];
    for (const view of views) {
      await real.fs.writeFile(real.path("view"), view);
      const read = await real.fs.readFile(real.path("view"), { encoding: null });
      expectTypeOf(read).toEqualTypeOf<Uint8Array<ArrayBuffer>>();
      expect([...read]).toEqual([1, 2, 3, 4]);
    }
  });

  it("for a file that replaces a longer one", async () => {
    const path = real.path("shrinks");
    for (const length of [3 * MIB, 2 * MIB, 10, 0]) {
      await real.fs.writeFile(path, pattern(length));
      expect((await real.fs.stat(path)).size).toBe(length);
    }
  });

  it.each([
    "a b",
    "a?b#c%d",
    "a%2Fb",
    "%",
    "%00",
    "back\\slash",
    "new\nline",
    "\u0001\u007f",
    "~",
    " ",
    "...",
    "-rf",
    "*",
    "$HOME",
    "'\"`",
    "é",
    "e\u0301",
    "😀",
    "file:x",
    "__proto__",
    "constructor",
    "toString",
    "n".repeat(255),
  ])("for a file named %j", async (name) => {
    const path = real.path("names", name);
    await real.fs.mkdir(real.path("names"), { recursive: true });
    await real.fs.writeFile(path, name);
    expect(readFileSync(path, "utf8")).toBe(name);
    expect(await real.fs.readFile(path, "utf8")).toBe(name);
    expect(await real.fs.readFile(pathToFileURL(path), "utf8")).toBe(name);
    expect(await real.fs.readdir(real.path("names"))).toContain(name);
    const walked = (await real.fs.walk(real.path("names"))).entries;
    // The server's walk leaves out names with a line break.
    if (!name.includes("\n")) expect(walked).toContainEqual({ path, kind: "file" });
  });
});

describe("readFile() reads", () => {
  it("a file whose size the system does not report", async () => {
    expect(await real.fs.readFile("/proc/self/status", "utf8")).toMatch(/^Name:/);
  });

  it("a file whose name is not UTF-8, by its URI", async () => {
    await real.sh("mkdir raw; printf inside > \"$(printf 'raw/a\\377b')\"");
    const uri = `${pathToFileURL(real.path("raw"))}/a%FFb`;
    expect(await real.fs.readFile(uri, "utf8")).toBe("inside");
    expect(await real.fs.realpath(uri)).toBe(uri);
    expect((await real.fs.stat(new URL(uri))).isFile()).toBe(true);
  });

  it("bytes that are not UTF-8 as replacement characters", async () => {
    writeFileSync(real.path("latin1"), Buffer.from([0x61, 0xff, 0x62]));
    expect(await real.fs.readFile(real.path("latin1"), "utf8")).toBe("a\ufffdb");
  });
});
