import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toNativePath, toPathUri } from "../../src/protocol/path-uri.ts";

/** Native form and URI of the same path, for both directions. */
const pairs = [
  ["/", "file:///"],
  ["/tmp/a b", "file:///tmp/a%20b"],
  ["/tmp/a?b#c%d", "file:///tmp/a%3Fb%23c%25d"],
  ["/tmp/a%2Fb", "file:///tmp/a%252Fb"],
  ["/tmp/", "file:///tmp/"],
  ["/é/😀", "file:///%C3%A9/%F0%9F%98%80"],
  ["/a\\b", "file:///a%5Cb"],
  ["/a\nb", "file:///a%0Ab"],
  ["C:\\Users\\a b", "file:///C:/Users/a%20b"],
  ["C:\\a%b#c", "file:///C:/a%25b%23c"],
  ["\\\\server\\share", "file://server/share"],
  ["\\\\server\\share\\a b", "file://server/share/a%20b"],
] as const;

describe("toPathUri", () => {
  it.each(pairs)("converts the native path %s to %s", (native, uri) => {
    expect(toPathUri(native, "path")).toBe(uri);
  });

  it.each([
    ["c:\\x", "file:///C:/x"],
    ["c:/x/y", "file:///C:/x/y"],
    ["C:/mixed\\slashes", "file:///C:/mixed/slashes"],
    ["\\\\server/share\\x", "file://server/share/x"],
    ["//server/share/p", "file:///server/share/p"],
    ["/a/../b/./c//d", "file:///b/c/d"],
    ["/../a", "file:///a"],
    ["C:\\a\\..\\..\\b", "file:///C:/b"],
  ])("converts the other spelling %s of a native path to %s", (native, uri) => {
    expect(toPathUri(native, "path")).toBe(uri);
  });

  it("keeps the root of a drive", () => {
    expect(toNativePath(toPathUri("c:\\", "path"))).toBe("C:\\");
  });

  it.each([
    "file:///tmp/a%20b",
    "file:///tmp/a%252Fb",
    "file:///C:/x",
    "file://server/share/x",
    "file:///a%3Fb%23c",
    "file:///tmp/%FF",
  ])("keeps the file: URL %s, as a string and as an object", (uri) => {
    expect(toPathUri(uri, "path")).toBe(uri);
    expect(toPathUri(new URL(uri), "path")).toBe(uri);
  });

  it.each([
    ["FILE:///p", "file:///p"],
    ["file:/p", "file:///p"],
    ["file://localhost/p", "file:///p"],
    ["file:///a b", "file:///a%20b"],
  ])("converts the file: URL %s to the form %s", (written, uri) => {
    expect(toPathUri(written, "path")).toBe(uri);
  });

  it.each([
    ["an empty string", ""],
    ["a relative path", "a/b"],
    ["a relative path with a dot", "./a"],
    ["a relative Windows path", "a\\b"],
    ["a path relative to a drive", "C:a"],
    ["a drive alone", "C:"],
    ["a path that starts with a single backslash", "\\a"],
    ["a share without a name", "\\\\server"],
    ["a share with an empty name", "\\\\server\\"],
    ["the home shorthand", "~/a"],
    ["a URL of another scheme", "http://host/p"],
    ["a file: URL with a query", "file:///a?b"],
    ["a file: URL with an empty query", "file:///a?"],
    ["a file: URL with a fragment", "file:///a#b"],
    ["a file: URL with an empty fragment", "file:///a#"],
    ["a file: URL with a user", "file://user@host/p"],
    ["a file: URL with a port", "file://host:1/p"],
    ["a malformed file: URL", "file://[/p"],
    ["a file: URL with a NUL", "file:///a%00b"],
    ["a POSIX path with a NUL", "/a\0b"],
    ["a Windows path with a NUL", "C:\\a\0b"],
    ["a share with a NUL", "\\\\server\\a\0b"],
    ["a server with a NUL", "\\\\ser\0ver\\share"],
    ["a server that would start a query", "\\\\ser?ver\\share"],
    ["a server that would start a fragment", "\\\\ser#ver\\share"],
    ["a server with a space", "\\\\ser ver\\share"],
    ["a server with a user", "\\\\user@server\\share"],
    ["a lone surrogate", "/a\ud800"],
  ])("refuses %s", (_, path) => {
    expect(() => toPathUri(path, "cwd")).toThrow(
      expect.objectContaining({ code: "ERR_INVALID_ARGUMENT", message: expect.stringMatching(/^cwd /) }),
    );
    const url = /^\w{2,}:/.test(path) && URL.canParse(path) ? new URL(path) : undefined;
    if (url)
      expect(() => toPathUri(url, "cwd")).toThrow(expect.objectContaining({ code: "ERR_INVALID_ARGUMENT" }));
  });

  it.each([
    ["\\\\?\\C:\\a", "file:///C:/a"],
    ["\\\\.\\C:\\a", "file:///C:/a"],
    ["\\\\?\\UNC\\server\\share\\a", "file://server/share/a"],
  ])("accepts the namespace spelling %s or refuses it, with no other result", (native, uri) => {
    let sent: string | undefined;
    try {
      sent = toPathUri(native, "path");
    } catch (error) {
      expect(error).toMatchObject({ code: "ERR_INVALID_ARGUMENT" });
    }
    expect([undefined, uri]).toContain(sent);
  });

  it("refuses a value that is neither a string nor a URL", () => {
    for (const value of [1, {}, []]) {
      expect(() => toPathUri(value as never, "cwd")).toThrow(
        expect.objectContaining({ code: "ERR_INVALID_ARGUMENT" }),
      );
    }
  });
});

describe("toNativePath", () => {
  it.each(pairs)("returns %s for %s", (native, uri) => {
    expect(toNativePath(uri)).toBe(native);
  });

  it.each([
    ["FILE:///p", "/p"],
    ["file://LOCALHOST/p", "/p"],
    ["file:///C:", "C:\\"],
  ])("converts %s to %s", (uri, native) => {
    expect(toNativePath(uri)).toBe(native);
  });

  it.each([
    ["a URI of another scheme", "http://host/p"],
    ["a native path", "/p"],
    ["bytes that are not UTF-8", "file:///tmp/%FF"],
    ["a broken escape", "file:///tmp/%2"],
    ["a query", "file:///a?b"],
    ["a fragment", "file:///a#b"],
  ])("returns %s unchanged", (_, uri) => {
    expect(toNativePath(uri)).toBe(uri);
  });
});

/** Names without empty ones and those of dots, which are resolved as in any URL. */
const name = fc
  .string({ unit: "binary", minLength: 1 })
  .filter((text) => !/\p{Surrogate}/u.test(text) && !/[\0/]|^\.\.?$/.test(text));
/** On the wire these are drives: the server reads them as Windows paths. */
const looksLikeDrive = /^\/[a-z]:(\/|$)/i;

it("converts a POSIX path to a URI and back without loss", () => {
  fc.assert(
    fc.property(fc.array(name), fc.boolean(), (names, trailing) => {
      const path = `/${names.join("/")}${trailing && names.length > 0 ? "/" : ""}`;
      fc.pre(!looksLikeDrive.test(path));
      const uri = toPathUri(path, "path");
      expect(uri).toMatch(/^file:\/\/\/[^?#\s\\]*$/);
      expect(toNativePath(uri)).toBe(path);
    }),
  );
});

it("converts a Windows path to a URI and back without loss", () => {
  // Names on Windows contain no control characters.
  const part = name.filter((text) => !/[\\\p{Cc}]/u.test(text));
  const root = fc.constantFrom("C:", "Z:", "\\\\server\\share");
  fc.assert(
    fc.property(root, fc.array(part, { minLength: 1 }), (start, names) => {
      const path = [start, ...names].join("\\");
      expect(toNativePath(toPathUri(path, "path"))).toBe(path);
    }),
  );
});

it("creates a URI that a URL parser reads as the same path", () => {
  fc.assert(
    fc.property(fc.array(name), (names) => {
      const path = `/${names.join("/")}`;
      fc.pre(!looksLikeDrive.test(path));
      const { search, hash, host, pathname } = new URL(toPathUri(path, "path"));
      expect([search, hash, host, decodeURIComponent(pathname)]).toEqual(["", "", "", path]);
    }),
  );
});
