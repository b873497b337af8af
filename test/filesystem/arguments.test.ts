import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RemoteFileSystem } from "../../src/index.ts";
import { failureOf } from "../support/failure.ts";
import { relayedFiles } from "../support/remote-files.ts";

let relayed: Awaited<ReturnType<typeof relayedFiles>>;
beforeAll(async () => {
  relayed = await relayedFiles();
  await relayed.relay.request("initialized");
});
afterAll(() => relayed[Symbol.asyncDispose]());

type Call = (fs: RemoteFileSystem, options: never, path?: string | URL) => unknown;

const MISSING = "/nowhere/at/all";

/** Every method with options, on a path that does not exist. */
const CALLS: readonly (readonly [name: string, call: Call])[] = [
  ["readFile", (fs, options, path = MISSING) => fs.readFile(path, options)],
  ["writeFile", (fs, options, path = MISSING) => fs.writeFile(path, "", options)],
  ["mkdir", (fs, options, path = MISSING) => fs.mkdir(path, options)],
  ["rm", (fs, options, path = MISSING) => fs.rm(path, options)],
  ["cp", (fs, options, path = MISSING) => fs.cp(path, MISSING, options)],
  ["stat", (fs, options, path = MISSING) => fs.stat(path, options)],
  ["realpath", (fs, options, path = MISSING) => fs.realpath(path, options)],
  ["appendFile", (fs, options, path = MISSING) => fs.appendFile(path, "", options)],
  ["rename", (fs, options, path = MISSING) => fs.rename(path, MISSING, options)],
  ["chmod", (fs, options, path = MISSING) => fs.chmod(path, 0o600, options)],
  ["symlink", (fs, options, path = MISSING) => fs.symlink("x", path, options)],
  ["readlink", (fs, options, path = MISSING) => fs.readlink(path, options)],
  ["lstat", (fs, options, path = MISSING) => fs.lstat(path, options)],
  ["readdir", (fs, options, path = MISSING) => fs.readdir(path, options)],
  ["walk", (fs, options, path = MISSING) => fs.walk(path, options)],
  [
    "createReadStream",
    (fs, options, path = MISSING) => fs.createReadStream(path, options).getReader().read(),
  ],
  [
    "createWriteStream",
    (fs, options, path = MISSING) => fs.createWriteStream(path, options).getWriter().write(new Uint8Array(1)),
  ],
];

const INVALID = { code: "ERR_INVALID_ARGUMENT" };

/** Checks that a call rejects with ERR_INVALID_ARGUMENT and sends nothing. */
async function expectInvalid(act: (fs: RemoteFileSystem) => unknown): Promise<void> {
  const before = relayed.relay.received.length;
  expect(await failureOf(Promise.resolve().then(() => act(relayed.fs)))).toMatchObject(INVALID);
  await relayed.client.status();
  expect(relayed.relay.received.slice(before).map(({ method }) => method)).toEqual(["environment/status"]);
}

describe("an argument is rejected before anything is sent:", () => {
  it.each<[string, (fs: RemoteFileSystem, path: string) => unknown]>([
    ["readFile", (fs, path) => fs.readFile(path)],
    ["writeFile", (fs, path) => fs.writeFile(path, "")],
    ["writeFile of a large file", (fs, path) => fs.writeFile(path, new Uint8Array(2_000_000))],
    ["mkdir", (fs, path) => fs.mkdir(path)],
    ["rm", (fs, path) => fs.rm(path)],
    ["cp as the source", (fs, path) => fs.cp(path, "/tmp/x")],
    ["cp as the destination", (fs, path) => fs.cp("/tmp/x", path)],
    ["stat", (fs, path) => fs.stat(path)],
    ["appendFile", (fs, path) => fs.appendFile(path, "")],
    ["rename as the old path", (fs, path) => fs.rename(path, "/tmp/x")],
    ["rename as the new path", (fs, path) => fs.rename("/tmp/x", path)],
    ["chmod", (fs, path) => fs.chmod(path, 0o600)],
    ["symlink", (fs, path) => fs.symlink("x", path)],
    ["readlink", (fs, path) => fs.readlink(path)],
    ["lstat", (fs, path) => fs.lstat(path)],
    ["packDirectory", (fs, path) => fs.packDirectory(path)],
    ["unpackDirectory", (fs, path) => fs.unpackDirectory(path, new Uint8Array())],
    ["exists", (fs, path) => fs.exists(path)],
    ["realpath", (fs, path) => fs.realpath(path)],
    ["readdir", (fs, path) => fs.readdir(path)],
    ["walk", (fs, path) => fs.walk(path)],
    ["createReadStream", (fs, path) => fs.createReadStream(path)],
    ["createWriteStream", (fs, path) => fs.createWriteStream(path)],
    ["whenAppears", (fs, path) => fs.whenAppears(["/tmp/x", path])],
  ])("an invalid path of %s", async (_, act) => {
    for (const path of [
      "",
      "a/b",
      "./a",
      "~/a",
      "a\\b",
      "C:a",
      "/a\0b",
      "/\ud800",
      "http://host/a",
      "file:///a?b",
    ]) {
      await expectInvalid((fs) => act(fs, path));
    }
    await expectInvalid((fs) => act(fs, new URL("http://host/a") as never));
    await expectInvalid((fs) => act(fs, undefined as never));
    await expectInvalid((fs) => act(fs, 1 as never));
  });

  it.each(["latin1", "utf16le", "base64", "", "UTF8"])("the encoding %j", async (encoding) => {
    await expectInvalid((fs) => fs.readFile("/tmp/x", encoding as never));
    await expectInvalid((fs) => fs.readFile("/tmp/x", { encoding: encoding as never }));
    await expectInvalid((fs) => fs.writeFile("/tmp/x", "", encoding as never));
    await expectInvalid((fs) => fs.writeFile("/tmp/x", "", { encoding: encoding as never }));
  });

  it.each([[null], [undefined], [1], [{}], [[1, 2]], [new Set(["a"])], [Promise.resolve("a")]])(
    "%j as data",
    async (data) => {
      await expectInvalid((fs) => fs.writeFile("/tmp/x", data as never));
    },
  );

  it.each([
    { start: -1 },
    { start: 0.5 },
    { start: Number.NaN },
    { start: Number.POSITIVE_INFINITY },
    { start: 2 ** 53 },
    { start: "1" as never },
    { end: -1 },
    { end: 1.5 },
    { end: Number.NaN },
    { end: Number.NEGATIVE_INFINITY },
    { end: 2 ** 53 },
    { end: null as never },
    { start: 2, end: 1 },
  ])("%o as the range of a read stream", async (options) => {
    await expectInvalid((fs) => fs.createReadStream("/tmp/x", options));
  });

  it("an empty list of paths of whenAppears, or no list", async () => {
    await expectInvalid((fs) => fs.whenAppears([]));
    await expectInvalid((fs) => fs.whenAppears("/tmp/x" as never));
  });

  it.each(CALLS)("an unknown option of %s, and a wrong kind of value", async (_, call) => {
    const wrong = [
      { encodign: "utf8" },
      { signal: {} },
      { signal: null },
      { sandbox: "none" },
      { recursive: null },
      { force: 1 },
      { onProgress: "log" },
      { withFileTypes: "yes" },
      [],
      5,
    ];
    for (const options of wrong) await expectInvalid((fs) => call(fs, options as never));
  });

  it.each(CALLS)(
    "nothing of %s: options that are undefined, of a class, or without a prototype",
    async (_, call) => {
      class Settings {
        readonly signal = undefined;
        readonly somethingElse = 1;
      }
      for (const options of [undefined, {}, { encodign: undefined }, new Settings(), Object.create(null)]) {
        // The path does not exist, so the server is asked.
        const error = await failureOf((async () => call(relayed.fs, options as never))());
        expect(error).toMatchObject({ code: "ERR_SERVER" });
      }
    },
  );

  it.each<[string, (fs: RemoteFileSystem, path: string) => unknown]>([
    ["writeFile", (fs, path) => fs.writeFile(path, "x")],
    ["writeFile", (fs, path) => fs.writeFile(path, "x", { flag: "wx" })],
    ["createWriteStream", (fs, path) => fs.createWriteStream(path)],
    ["cp", (fs, path) => fs.cp("/etc/passwd", path)],
  ])("a path with a slash at its end, as the file that %s makes", async (operation, call) => {
    for (const path of ["/tmp/made/", "file:///tmp/made/", "C:\\made\\"]) {
      expect(await failureOf((async () => call(relayed.fs, path))())).toMatchObject({
        code: "ERR_INVALID_ARGUMENT",
        operation,
        message: expect.stringContaining("must be that of a file, got one that ends with a slash"),
      });
    }
  });

  it("an encoded separator in a URL", async () => {
    for (const uri of ["file:///w/a%2F..%2Fsecret", "file:///C:/w/a%5C..%5Csecret"]) {
      for (const path of [uri, new URL(uri)]) {
        for (const [, call] of CALLS) await expectInvalid((fs) => call(fs, {} as never, path));
        await expectInvalid((fs) => fs.cp("/tmp/x", path));
      }
    }
  });
});

describe("an option of Node's that the server can't do is refused with what to do instead:", () => {
  it.each<[string, RegExp, (fs: RemoteFileSystem) => unknown]>([
    ["writeFile flag ax", /flag is "w", "a", "wx"/, (fs) => fs.writeFile("/x", "", { flag: "ax" as never })],
    ["appendFile flag w", /supported flag is "a"/, (fs) => fs.appendFile("/x", "", { flag: "w" as never })],
    ["appendFile flush", /flush/, (fs) => fs.appendFile("/x", "", { flush: true } as never)],
    ["lstat bigint", /bigint.*numbers/, (fs) => fs.lstat("/x", { bigint: true } as never)],
    ["readFile flag w+", /supported flag is "r"/, (fs) => fs.readFile("/x", { flag: "w+" as never })],
    ["mkdir mode", /mode.*chmod/, (fs) => fs.mkdir("/x", { mode: 0o700 } as never)],
    ["rm maxRetries", /maxRetries.*again/, (fs) => fs.rm("/x", { maxRetries: 1 } as never)],
    ["cp filter", /filter.*one by one/, (fs) => fs.cp("/x", "/y", { filter: () => true } as never)],
    ["cp dereference", /dereference.*realpath/, (fs) => fs.cp("/x", "/y", { dereference: true } as never)],
    ["cp preserveTimestamps", /run\(\)/, (fs) => fs.cp("/x", "/y", { preserveTimestamps: true } as never)],
    ["cp verbatimSymlinks", /links/, (fs) => fs.cp("/x", "/y", { verbatimSymlinks: true } as never)],
    ["cp mode", /mode/, (fs) => fs.cp("/x", "/y", { mode: 1 } as never)],
    ["stat bigint", /bigint.*numbers/, (fs) => fs.stat("/x", { bigint: true } as never)],
    ["createReadStream flags", /flags/, (fs) => fs.createReadStream("/x", { flags: "r+" } as never)],
    [
      "createReadStream encoding",
      /TextDecoderStream/,
      (fs) => fs.createReadStream("/x", { encoding: "utf8" } as never),
    ],
    ["createReadStream fd", /fd/, (fs) => fs.createReadStream("/x", { fd: 3 } as never)],
    [
      "createWriteStream flags",
      /supported flags is "w"/,
      (fs) => fs.createWriteStream("/x", { flags: "a" as never }),
    ],
    ["createWriteStream start", /start/, (fs) => fs.createWriteStream("/x", { start: 4 } as never)],
    ["createWriteStream mode", /mode/, (fs) => fs.createWriteStream("/x", { mode: 0o600 } as never)],
  ])("%s", async (_, message, act) => {
    const before = relayed.relay.received.length;
    expect(await failureOf((async () => act(relayed.fs))())).toMatchObject({
      code: "ERR_UNSUPPORTED",
      message: expect.stringMatching(message),
      path: "/x",
    });
    expect(relayed.relay.received.length).toBe(before);
  });
});
