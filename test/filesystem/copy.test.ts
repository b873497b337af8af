import { lstatSync, readFileSync, readlinkSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { failureOf } from "../support/failure.ts";
import { relayedFiles } from "../support/remote-files.ts";

let real: Awaited<ReturnType<typeof relayedFiles>>;
beforeAll(async () => {
  real = await relayedFiles();
});
beforeEach(() => real.sh("find . -mindepth 1 -delete"));
afterAll(() => real[Symbol.asyncDispose]());

const read = (name: string): string => readFileSync(real.path(name), "utf8");
const copied = (): number => real.relay.count("fs/copy");

describe("cp() of a file onto itself is refused and leaves the file whole:", () => {
  it.each([
    ["the same path", "a", "a", "ERR_INVALID_ARGUMENT"],
    ["another spelling", "./x/../a", "a", "ERR_INVALID_ARGUMENT"],
    ["two slashes", "/a", "a", "ERR_INVALID_ARGUMENT"],
    ["a slash at the end", "a", "a/", "ERR_INVALID_ARGUMENT"],
    ["through a link", "link", "a", "ERR_INVALID_ARGUMENT"],
    ["through a link to the directory", "dir/a", "a", "ERR_INVALID_ARGUMENT"],
    ["onto a link to it", "a", "link", "ERR_UNSUPPORTED"],
    ["onto a link to a link to it", "a", "link-link", "ERR_UNSUPPORTED"],
    ["a directory onto itself", ".", ".", "ERR_INVALID_ARGUMENT"],
    ["a directory onto a link to it", ".", "dir", "ERR_UNSUPPORTED"],
  ])("%s", async (_, source, destination, code) => {
    await real.sh("printf precious > a; ln -s a link; ln -s link link-link; ln -s . dir");
    const before = copied();
    for (const options of [{}, { recursive: true }, { force: false }]) {
      const copying = real.fs.cp(real.path(source), `${real.directory}/${destination}`, options);
      expect(await failureOf(copying)).toMatchObject({ code, operation: "cp" });
      expect(read("a")).toBe("precious");
    }
    expect(copied()).toBe(before);
  });
});

describe("cp() of a directory over one that has links", () => {
  it("is refused where the server would write through a link, and copies nothing", async () => {
    await real.sh(`
      mkdir -p src/sub dst/sub; printf precious > src/f; printf precious > src/sub/g; printf new > src/new
      printf outside > outside
    `);
    for (const make of [
      "ln -s ../src/f dst/f",
      "ln -s ../../src/sub/g dst/sub/g",
      "rmdir dst/sub; ln -s ../src/sub dst/sub",
      "ln -s ../outside dst/f",
    ]) {
      await real.sh(make);
      const before = copied();
      const copying = real.fs.cp(real.path("src"), real.path("dst"), { recursive: true });
      expect(await failureOf(copying)).toMatchObject({
        code: "ERR_UNSUPPORTED",
        message: expect.stringMatching(/through the link .*dst.*remove it/),
      });
      expect(copied()).toBe(before);
      expect([read("src/f"), read("src/sub/g"), read("outside")]).toEqual([
        "precious",
        "precious",
        "outside",
      ]);
      await real.sh("rm -rf dst; mkdir -p dst/sub");
    }
  });

  it("copies around links that are not in the way", async () => {
    await real.sh(
      "mkdir -p src/sub dst/sub; echo f > src/f; echo g > src/sub/g; ln -s /etc dst/etc; ln -s f src/l",
    );
    await real.fs.cp(real.path("src"), real.path("dst"), { recursive: true });
    expect([read("dst/f"), read("dst/sub/g")]).toEqual(["f\n", "g\n"]);
    expect([readlinkSync(real.path("dst/etc")), readlinkSync(real.path("dst/l"))]).toEqual(["/etc", "f"]);
  });
});

describe("cp() with force: false", () => {
  it("keeps a file that exists, and rejects with errorOnExist", async () => {
    await real.sh("printf src > src; printf precious > dst");
    const paths = [real.path("src"), real.path("dst")] as const;
    await real.fs.cp(...paths, { force: false });
    expect(await failureOf(real.fs.cp(...paths, { force: false, errorOnExist: true }))).toMatchObject({
      code: "ERR_SERVER",
      kind: "already-exists",
      sessionId: real.client.sessionId,
    });
    expect(read("dst")).toBe("precious");
    await real.fs.cp(...paths, { errorOnExist: true });
    expect(read("dst")).toBe("src");
  });

  it("is refused for a directory that exists", async () => {
    await real.sh("mkdir src dst; echo new > src/f; echo old > dst/f");
    const copying = real.fs.cp(real.path("src"), real.path("dst"), { recursive: true, force: false });
    expect(await failureOf(copying)).toMatchObject({ code: "ERR_UNSUPPORTED" });
    expect(read("dst/f")).toBe("old\n");
  });
});

it("cp() to a new path looks at the destination once and copies", async () => {
  await real.sh("echo a > a; ln -s a link");
  const before = real.relay.received.length;
  await real.fs.cp(real.path("a"), real.path("b"));
  const sent = real.relay.received.slice(before).map(({ method }) => method);
  expect(sent).toEqual(["fs/getMetadata", "fs/copy"]);
  await real.fs.cp(real.path("link"), real.path("link2"));
  expect(lstatSync(real.path("link2")).isSymbolicLink()).toBe(true);
});

it("the errors of cp() name both paths", async () => {
  const error = await failureOf(real.fs.cp(real.path("none"), `file://${real.path("to%20here")}`));
  expect(error).toMatchObject({ kind: "not-found", operation: "cp", path: real.path("none") });
  expect(error).not.toHaveProperty("destination");
  expect((error as Error).message).toContain(`cp '${real.path("none")}' to '${real.path("to here")}'`);
});
