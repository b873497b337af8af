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

  it.each([[null], [undefined], [1], [{}], [[1, 2]]])("%j as data", async (data) => {
    await expectInvalid((fs) => fs.writeFile("/tmp/x", data as never));
  });

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

  it("an empty list of paths of whenAppears", async () => {
    await expectInvalid((fs) => fs.whenAppears([]));
  });
});
