import { describe, expect, it } from "vitest";
import { remotePath } from "../../src/index.ts";

const { join, dirname, basename, relative, startsWith } = remotePath;

/** The opaque URI of a Windows path. */
function opaque(native: string): string {
  return `file:///%00/bad/path/${Buffer.from(native, "utf16le").toString("base64url")}`;
}

describe("basename()", () => {
  it.each([
    ["file:///", ""],
    ["file:///tmp/a%20file.rs", "a file.rs"],
    ["file:///tmp/a%20file.rs/", "a file.rs"],
    ["file:///C:/", "C:"],
    ["file://server/share", "share"],
    ["file:///tmp/a%3Fb%23c%25d", "a?b#c%d"],
    ["file:///tmp/a%252Fb", "a%2Fb"],
    ["file:///tmp/%FF", "%FF"],
    ["file:///w/%2F..%2Fetc", "%2F..%2Fetc"],
    ["file:///w/a%5Cb", "a\\b"],
    ["file:///C:/w/a%5Cb", "a%5Cb"],
    ["/", ""],
    ["/tmp/a file.rs", "a file.rs"],
    ["/tmp/a?b#c%d", "a?b#c%d"],
    ["C:\\", "C:"],
    ["c:\\Users\\me", "me"],
    ["\\\\server\\share", "share"],
    ["\\\\server\\my share", "my share"],
    ["\\\\.\\COM1", ""],
  ])("of %s is %j", (path, name) => {
    expect(basename(path)).toBe(name);
  });
});

describe("dirname()", () => {
  it.each([
    ["file:///workspace", "file:///"],
    ["file:///", "file:///"],
    ["file:///a/b/", "file:///a"],
    ["file:///C:/Users", "file:///C:"],
    ["file:///C:/", "file:///C:"],
    ["file://server/share/src", "file://server/share"],
    ["file://server/share", "file://server/share"],
    ["/workspace", "/"],
    ["/", "/"],
    ["/a/b", "/a"],
    ["C:\\Users", "C:\\"],
    ["C:\\", "C:\\"],
    ["\\\\server\\share\\src", "\\\\server\\share"],
    ["\\\\server\\share", "\\\\server\\share"],
    ["\\\\.\\COM1", "\\\\.\\COM1"],
    [opaque("\\\\.\\COM1"), opaque("\\\\.\\COM1")],
  ])("of %s is %s", (path, directory) => {
    expect(dirname(path)).toBe(directory);
  });
});

describe("join()", () => {
  it.each([
    ["file:///workspace/src", "../tests/t", "file:///workspace/tests/t"],
    ["file:///", "../../etc", "file:///etc"],
    ["file:///C:/base/dir", "..\\..\\..\\Windows", "file:///C:/Windows"],
    ["file:///C:/base/dir", "\\Windows", "file:///C:/Windows"],
    ["file:///C:/base", "a/b\\c", "file:///C:/base/a/b/c"],
    ["file://server/share/base/dir", "\\Windows", "file://server/share/Windows"],
    ["file:///workspace", "a?b#c%d", "file:///workspace/a%3Fb%23c%25d"],
    ["file:///workspace/", "", "file:///workspace/"],
    ["file:///workspace", "/tmp//a/../b", "file:///tmp/b"],
    ["file:///workspace", "///", "file:///"],
    ["file:///workspace", "/tmp///", "file:///tmp/"],
    ["file:///workspace", "//server/share/p", "file:///server/share/p"],
    ["file:///workspace", "C:\\x", "file:///workspace/C:%5Cx"],
    ["file:///C:/w", "D:\\..\\..\\b", "file:///D:/b"],
    ["file:///C:/w", "d:/b", "file:///D:/b"],
    ["file:///C:/w", "\\\\server\\share\\..\\..\\b", "file://server/share/b"],
    ["file:///C:/w", "\\\\?\\D:\\r\\x", "file:///D:/r/x"],
    ["file:///C:/w", "\\\\.\\D:\\r\\x", "file:///D:/r/x"],
    ["file:///C:/w", "\\\\?\\UNC\\server\\share\\r", "file://server/share/r"],
    ["/workspace/src", "../tests/t", "/workspace/tests/t"],
    ["/", "../../etc", "/etc"],
    ["/workspace", "a?b#c%d", "/workspace/a?b#c%d"],
    ["/workspace/", "", "/workspace/"],
    ["/workspace", "/tmp///", "/tmp/"],
    ["/workspace", "//server/share/p", "/server/share/p"],
    ["/workspace", "a\\b", "/workspace/a\\b"],
    ["C:\\base\\dir", "..\\..\\..\\Windows", "C:\\Windows"],
    ["C:\\base\\dir", "\\Windows", "C:\\Windows"],
    ["C:\\w", "D:\\..\\..\\b", "D:\\b"],
    ["C:\\w", "\\\\server\\share\\..\\..\\b", "\\\\server\\share\\b"],
    ["\\\\server\\share\\base\\dir", "\\Windows", "\\\\server\\share\\Windows"],
  ])("of %s and %s is %s", (base, name, result) => {
    expect(join(base, name)).toBe(result);
  });

  it.each([
    "\\\\.\\COM1",
    "\\\\?\\Volume{b75e2c83-0000-0000-0000-602f00000000}\\x",
    "\\\\?\\UNC\\server",
    "\\\\?\\UNC\\localhost\\share\\x",
    "\\\\localhost\\share\\x",
    "\\\\1\\share\\x",
  ])("keeps %s, which no ordinary URI can name, as an opaque path", (name) => {
    expect(join("file:///C:/w", name)).toBe(opaque(name));
    expect(join("C:\\w", name)).toBe(name);
  });

  it("appends any number of names", () => {
    expect(join("/a")).toBe("/a");
    expect(join("/a", "b", "..", "c/", "d")).toBe("/a/c/d");
  });

  it("returns an opaque path for an empty name, and refuses any other name", () => {
    const device = opaque("\\\\.\\COM1");
    expect(join(device, "")).toBe(device);
    expect(() => join(device, "a")).toThrow(expect.objectContaining({ code: "ERR_INVALID_ARGUMENT" }));
    expect(() => join("C:\\w", "\\\\.\\COM1", "a")).toThrow(
      expect.objectContaining({ code: "ERR_INVALID_ARGUMENT" }),
    );
  });

  it.each([
    ["a relative base", "a", "b"],
    ["a path relative to a drive", "file:///C:/base", "D:tmp"],
    ["a drive alone", "C:\\base", "D:"],
    ["a host without a share", "C:\\base", "\\\\server"],
    ["a malformed host", "C:\\base", "\\\\ser ver\\share"],
    ["a NUL", "/a", "b\0c"],
    ["a NUL on Windows", "C:\\a", "b\0c"],
    ["a lone surrogate", "/a", "\ud800"],
    ["a name that is not a string", "/a", 1 as unknown as string],
  ])("refuses %s", (_, base, name) => {
    expect(() => join(base, name)).toThrow(expect.objectContaining({ code: "ERR_INVALID_ARGUMENT" }));
  });
});

describe("startsWith()", () => {
  it.each([
    ["file:///w/plugin", "file:///w/plugin", true],
    ["file:///w/plugin/a", "file:///w/plugin", true],
    ["file:///w/plugin/a", "file:///w/plugin/", true],
    ["file:///w/plugin-other", "file:///w/plugin", false],
    ["file:///w", "file:///w/plugin", false],
    ["file:///anything", "file:///", true],
    ["file://one/share/x", "file://other/share", false],
    ["file:///C:/x", "file:///D:/", false],
    ["file:///c:/x/y", "file:///C:/x", true],
    ["file:///C:/x", "file:///", false],
    ["file:///w/plugin/%2F..%2Fx", "file:///w/plugin", false],
    ["file:///w/plugin/%2f..%2fx", "file:///w/plugin", false],
    ["file:///w/plugin/%FF%2F..%2Fx", "file:///w/plugin", false],
    ["file:///w/plugin/%5C..%5Cx", "file:///w/plugin", true],
    ["file:///C:/w/plugin/%5C..%5Cx", "file:///C:/w/plugin", false],
    ["file:///w/plugin/a%252Fb", "file:///w/plugin", true],
    ["/w/plugin/../x", "/w/plugin", false],
    ["/w/plugin/x", "/w/plugin", true],
    ["/w/plugin-other", "/w/plugin", false],
    ["c:\\w\\x", "C:\\w", true],
    ["\\\\SERVER\\share\\x", "\\\\server\\share", true],
    ["\\\\.\\COM1", "\\\\.\\COM1", true],
    ["\\\\.\\COM1", "\\\\.\\", false],
  ])("of %s and %s is %s", (path, directory, result) => {
    expect(startsWith(path, directory)).toBe(result);
  });
});

describe("relative()", () => {
  it.each([
    ["file:///C:/home/project", "file:///c:/home/project/src/main.rs", "src\\main.rs"],
    ["C:\\home\\project", "c:\\home\\project\\src\\main.rs", "src\\main.rs"],
    ["/a/b", "/a/b", ""],
    ["/a/b/", "/a/c/d", "../c/d"],
    ["/a", "/", ".."],
    ["file:///a", "file:///a/b%20c", "b c"],
    ["C:\\a", "D:\\b", "D:\\b"],
    ["/a", "C:\\b", "C:\\b"],
    ["file:///a", "file:///a/b%2Fc", "file:///a/b%2Fc"],
    ["file:///a", "file:///a/%FF", "file:///a/%FF"],
    ["\\\\.\\COM1", "C:\\b", "C:\\b"],
  ])("from %s to %s is %j", (from, to, result) => {
    expect(relative(from, to)).toBe(result);
  });
});

it("accepts URL objects, and returns URIs for them", () => {
  const url = new URL("file:///a/b");
  expect([join(url, "c"), dirname(url), basename(url)]).toEqual(["file:///a/b/c", "file:///a", "b"]);
  expect(startsWith(url, new URL("file:///a"))).toBe(true);
  expect(relative(new URL("file:///a"), url)).toBe("b");
});
