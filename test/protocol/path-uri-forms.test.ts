import { describe, expect, it } from "vitest";
import { formatPathUri, parsePath, shownPath, toNativePath, toPathUri } from "../../src/protocol/path-uri.ts";

const PREFIX = "file:///%00/bad/path/";

function opaque(bytes: Uint8Array | string): string {
  const payload = typeof bytes === "string" ? Buffer.from(bytes, "utf16le") : Buffer.from(bytes);
  return PREFIX + payload.toString("base64url");
}

describe("a URI that names a Windows path", () => {
  it.each([
    ["file:///c:/Users", "file:///C:/Users", "C:\\Users"],
    ["file:///c:", "file:///C:", "C:\\"],
    ["file:///c:/", "file:///C:", "C:\\"],
    ["file:/c:/x/", "file:///C:/x/", "C:\\x\\"],
    ["file://localhost/c:/x", "file:///C:/x", "C:\\x"],
    ["file://SERVER/Share/X", "file://server/Share/X", "\\\\server\\Share\\X"],
    ["file://server/my%20share", "file://server/my%20share", "\\\\server\\my share"],
    ["file://server/share/", "file://server/share", "\\\\server\\share"],
  ])("%s has the canonical form %s and the native form %s", (written, uri, native) => {
    expect(toPathUri(written, "path")).toBe(uri);
    expect(toNativePath(written)).toBe(native);
    expect(toPathUri(native, "path")).toBe(uri);
  });

  it("is also a URI whose POSIX path would begin with a drive", () => {
    expect(toPathUri("/C:/x", "path")).toBe("file:///C:/x");
    expect(toNativePath("file:///C:/x")).toBe("C:\\x");
  });
});

describe("a URI that names a POSIX path", () => {
  it.each([
    ["file://LocalHost/p", "file:///p", "/p"],
    ["FILE://LOCALHOST/p", "file:///p", "/p"],
    ["file:////server/share", "file:///server/share", "/server/share"],
    ["file:///a/./b/../c", "file:///a/c", "/a/c"],
    ["file:///a/%2e%2e/b", "file:///b", "/b"],
    ["file:///a%2525", "file:///a%2525", "/a%25"],
    ["file:///a%5Cb", "file:///a%5Cb", "/a\\b"],
    ["file:///Cc:/x", "file:///Cc:/x", "/Cc:/x"],
  ])("%s has the canonical form %s and the native form %s", (written, uri, native) => {
    expect(toPathUri(written, "path")).toBe(uri);
    expect(toNativePath(written)).toBe(native);
  });

  const SEPARATORS = ["file:///a%2Fb", "file:///a/..%2Fb", "file:///C:/a%5Cb", "file://server/%2F/b"];

  it.each([...SEPARATORS, "file:///%FF"])("%s, with a name that has no native form, stays a URI", (uri) => {
    expect(toNativePath(uri)).toBe(uri);
    expect(formatPathUri(parsePath(uri, "path"))).toBe(uri);
  });

  it.each([...SEPARATORS, "file:///w/a%2f..%2fsecret", "file://a/b%2Fc", "file:///C:/a%5c..%5cb"])(
    "%s is refused for a request, as a string and as a URL",
    (uri) => {
      for (const path of [uri, new URL(uri)]) {
        expect(() => toPathUri(path, "path")).toThrowError(
          expect.objectContaining({
            code: "ERR_INVALID_ARGUMENT",
            message: expect.stringContaining("encoded separators"),
          }),
        );
      }
    },
  );

  it("a backslash in a POSIX name, and a percent sign before 2F, are no separators", () => {
    for (const uri of ["file:///a%5Cb", "file:///a%252Fb", "file:///C:/a%252Fb"]) {
      expect(toPathUri(uri, "path")).toBe(uri);
    }
  });

  it("a URL of another realm is a URL", () => {
    const foreign = Object.create(null, {
      href: { value: "file:///tmp/a%20b" },
      [Symbol.toStringTag]: { value: "URL" },
      toString: { value: () => "file:///tmp/a%20b" },
    }) as URL;
    expect(toPathUri(foreign, "path")).toBe("file:///tmp/a%20b");
  });
});

describe("the path that an error shows", () => {
  it.each<[unknown, string | undefined]>([
    ["/tmp/a b", "/tmp/a b"],
    ["relative", "relative"],
    ["C:\\x", "C:\\x"],
    ["file:///tmp/a%20b", "/tmp/a b"],
    [new URL("file:///C:/a%20b"), "C:\\a b"],
    ["https://user:secret@host/a?token=secret", undefined],
    [new URL("https://user:secret@host/a"), undefined],
    ["file:///a?token=secret", undefined],
    [undefined, undefined],
    [{}, undefined],
  ])("of %s is %s", (path, shown) => {
    expect(shownPath(path)).toBe(shown);
  });
});

describe("a Windows path that no URL can name", () => {
  it.each([
    "\\\\.\\COM1",
    "\\\\.\\C:",
    "\\\\?\\Volume{b75e2c83-0000-0000-0000-602f00000000}\\x",
    "\\\\?\\UNC\\server",
    "\\\\?\\UNC\\localhost\\share\\x",
    "\\\\localhost\\share\\x",
    "\\\\LOCALHOST\\share",
    "\\\\0x7f.1\\share",
    "\\\\sérver\\share",
    "\\\\.\\a\nb",
  ])("%j is sent as an opaque URI, and converts back", (native) => {
    const uri = toPathUri(native, "path");
    expect(uri).toBe(opaque(native));
    expect(toPathUri(uri, "path")).toBe(uri);
    expect(toPathUri(new URL(uri), "path")).toBe(uri);
    expect(toNativePath(uri)).toBe(native);
  });

  it.each(["\\\\server\\..\\x", "\\\\server\\.", "\\\\ser?ver\\share"])(
    "%j is refused if malformed",
    (path) => {
      expect(() => toPathUri(path, "path")).toThrow(
        expect.objectContaining({ code: "ERR_INVALID_ARGUMENT" }),
      );
    },
  );
});

describe("an opaque URI", () => {
  it("of POSIX bytes has them as its native form if they are UTF-8, otherwise the URI itself", () => {
    const text = opaque(Buffer.from("/C:/é"));
    expect(toNativePath(text)).toBe("/C:/é");
    const bytes = opaque(Buffer.from([0x2f, 0xff, 0xfe]));
    expect(toPathUri(bytes, "path")).toBe(bytes);
    expect(toNativePath(bytes)).toBe(bytes);
    expect(toNativePath(opaque(Buffer.from("/")))).toBe("/");
  });

  it("of Windows code units that are not Unicode is its own native form", () => {
    const uri = opaque(Buffer.from([0x43, 0, 0x3a, 0, 0x5c, 0, 0x00, 0xd8]));
    expect(toPathUri(uri, "path")).toBe(uri);
    expect(toNativePath(uri)).toBe(uri);
  });

  const good = opaque("\\\\.\\COM1").slice(PREFIX.length);
  it.each([
    ["no payload", PREFIX],
    ["padding", `${PREFIX}${good}=`],
    ["the standard alphabet", `${PREFIX}${Buffer.from("/\u00ff\u00fb", "latin1").toString("base64")}+/`],
    ["leftover bits", `${PREFIX}L1`],
    ["an impossible base64 length", `${PREFIX}L`],
    ["half a Windows code unit", opaque(Buffer.from("abc"))],
    ["a further segment", `${PREFIX}${good}/x`],
    ["a trailing slash", `${PREFIX}${good}/`],
    ["another path after the NUL", `file:///%00/other/${good}`],
    ["the NUL in another place", `file:///x/%00/bad/path/${good}`],
    ["a host", `file://server/%00/bad/path/${good}`],
    ["a NUL alone", "file:///%00"],
  ])("with %s is refused", (_, uri) => {
    expect(() => toPathUri(uri, "path")).toThrow(expect.objectContaining({ code: "ERR_INVALID_ARGUMENT" }));
    expect(toNativePath(uri)).toBe(uri);
  });
});

it.each(["file://./COM1", "file://server", "https://host/p", "file:p", "FILE:p"])("%s is refused", (uri) => {
  expect(() => toPathUri(uri, "path")).toThrow(expect.objectContaining({ code: "ERR_INVALID_ARGUMENT" }));
  expect(toNativePath(uri)).toBe(uri);
});
