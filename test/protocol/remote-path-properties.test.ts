import fc from "fast-check";
import { expect, it } from "vitest";
import { remotePath, UsageError } from "../../src/index.ts";
import { formatPathUri, parsePath, toNativePath, toPathUri } from "../../src/protocol/path-uri.ts";

const { join, dirname, basename, relative, startsWith } = remotePath;

/** Valid file names: without separators, not only dots, and on Windows without a colon. */
const posixName = fc
  .string({ unit: "binary", minLength: 1 })
  .filter((text) => !/\p{Surrogate}/u.test(text) && !/[\0/]|^\.\.?$/.test(text));
const windowsName = posixName.filter((text) => !/[\\:\p{Cc}]/u.test(text));

/** The parts of a normalised native path, POSIX or Windows. */
const place = fc.oneof(
  fc.record({
    root: fc.constant("/"),
    separator: fc.constant("/"),
    // On the wire a first name such as `C:` is a drive.
    names: fc.array(posixName).filter(([first = ""]) => !/^[a-z]:$/i.test(first)),
  }),
  fc.record({
    root: fc.constantFrom("C:\\", "Z:\\", "\\\\server\\share\\"),
    separator: fc.constant("\\"),
    names: fc.array(windowsName),
  }),
);
type Place = typeof place extends fc.Arbitrary<infer P> ? P : never;

function nativeOf({ root, separator, names }: Place): string {
  if (names.length === 0) return root.startsWith("\\\\") ? root.slice(0, -1) : root;
  return root + names.join(separator);
}

it("join(dirname(p), basename(p)) is p, native and as a URI", () => {
  fc.assert(
    fc.property(
      place.filter(({ names }) => names.length > 0),
      (where) => {
        const path = nativeOf(where);
        expect(join(dirname(path), basename(path))).toBe(path);
        const uri = toPathUri(path, "path");
        expect(join(dirname(uri), basename(uri))).toBe(uri);
        expect(toNativePath(uri)).toBe(path);
      },
    ),
  );
});

it("join(d, relative(d, p)) is p, and relative(d, join(d, name)) is the name", () => {
  const two = fc
    .tuple(place, place)
    .map(([one, other]) => [one, { ...one, names: other.names }] as const)
    .filter(
      ([one, { names }]) => (one.separator === "\\") === names.every((name) => !/[\\:\p{Cc}]/u.test(name)),
    )
    .filter(([, { names }]) => !/^[a-z]:$/i.test(names[0] ?? ""));
  fc.assert(
    fc.property(two, ([one, other]) => {
      const [from, to] = [nativeOf(one), nativeOf(other)];
      expect(join(from, relative(from, to))).toBe(to);
    }),
  );
  fc.assert(
    fc.property(place, windowsName, (where, name) => {
      fc.pre(!/^[a-z]:$/i.test(name));
      const directory = nativeOf(where);
      expect(relative(directory, join(directory, name))).toBe(name);
    }),
  );
});

it("join(d, name) starts with d, and not the other way round", () => {
  fc.assert(
    fc.property(place, windowsName, (where, name) => {
      const directory = nativeOf(where);
      const path = join(directory, name);
      expect(startsWith(path, directory)).toBe(true);
      expect(startsWith(directory, path)).toBe(false);
      expect(startsWith(`${path}-other`, path)).toBe(false);
    }),
  );
});

it("accepts a string as a path or refuses it with a UsageError, and keeps its own results unchanged", () => {
  const fragment = fc.oneof(
    fc.constantFrom(
      "/",
      "\\",
      "..",
      ".",
      "C:",
      "\\\\?\\",
      "\\\\.\\",
      "UNC\\",
      "file://",
      "%2F",
      "%00",
      "%FF",
      "a",
    ),
    fc.string({ unit: "binary" }),
  );
  const hostile = fc.array(fragment, { maxLength: 8 }).map((parts) => parts.join(""));
  const uriOf = (path: string): string => formatPathUri(parsePath(path, "path"));
  const orUsageError = (work: () => string): string | undefined => {
    try {
      return work();
    } catch (error) {
      expect(error).toBeInstanceOf(UsageError);
      return undefined;
    }
  };
  fc.assert(
    fc.property(hostile, hostile, (path, name) => {
      const uri = orUsageError(() => uriOf(path));
      const sent = orUsageError(() => toPathUri(path, "path"));
      expect([uri, undefined]).toContain(sent);
      if (sent) expect(sent).not.toMatch(/%2f/i);
      const joined = orUsageError(() => join(path, name));
      for (const result of [uri, joined]) {
        if (result === undefined) continue;
        const again = uriOf(result);
        expect(uriOf(again)).toBe(again);
        expect(uriOf(toNativePath(again))).toBe(again);
        expect(new URL(again).protocol).toBe("file:");
      }
      for (const method of [dirname, basename]) orUsageError(() => method(path));
      for (const method of [relative, startsWith]) orUsageError(() => String(method(path, name)));
    }),
    { numRuns: 5_000 },
  );
});
