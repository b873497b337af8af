import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { ExecServerClient, type RemoteFileSystem } from "../../../src/index.ts";
import { TestServer } from "../../../src/testing.ts";
import { failureOf } from "../../support/failure.ts";
import { useRelayedFolders } from "../../support/remote-files.ts";

const MIB = 1024 * 1024;

const relayed = useRelayedFolders();
const { at } = relayed;

/** The processes whose arguments contain a text. */
const processesWith = (text: string): string[] =>
  execFileSync("ps", ["ax", "-o", "args"], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line.includes(text));

function tarOf(names: Record<string, string | Uint8Array>): Buffer {
  mkdirSync(at("packed"));
  for (const [name, data] of Object.entries(names)) writeFileSync(at(`packed/${name}`), data);
  return execFileSync("tar", ["-cf", "-", "-C", at("packed"), "."], { maxBuffer: 2 ** 28 });
}

it("packs a directory as tar does, and unpacks it again", async () => {
  mkdirSync(at("from/sub dir"), { recursive: true });
  writeFileSync(at("from/sub dir/-x\n"), "x", { mode: 0o750 });
  writeFileSync(at("from/large"), Buffer.alloc(10 * MIB, "large"));
  symlinkSync("nowhere", at("from/link"));
  const tar = new Uint8Array(await new Response(relayed.fs.packDirectory(at("from"))).arrayBuffer());
  const names = execFileSync("tar", ["-tf", "-"], { input: tar, encoding: "utf8" });
  expect(names.split("\n").sort()).toEqual(["", "./", "./large", "./link", "./sub dir/", "./sub dir/-x\\n"]);
  await relayed.fs.unpackDirectory(at("new/to"), tar);
  execFileSync("diff", ["-r", "--no-dereference", at("from"), at("new/to")]);
});

it.each<[string, (tar: Buffer) => Parameters<RemoteFileSystem["unpackDirectory"]>[1]]>([
  ["bytes", (tar) => tar],
  ["a Blob", (tar) => new Blob([new Uint8Array(tar)])],
  ["a stream", (tar) => new Blob([new Uint8Array(tar)]).stream()],
  [
    "pieces of any size",
    async function* (tar) {
      for (let n = 0; n < tar.length; n += 700) yield tar.subarray(n, n + 700);
    },
  ],
])("unpacks %s", async (_, dataOf) => {
  const tar = tarOf({ a: "1", b: Buffer.alloc(3 * MIB, "b") });
  await relayed.fs.unpackDirectory(at("to"), dataOf(tar));
  execFileSync("diff", ["-r", at("packed"), at("to")]);
});

it("holds the server's tar back while the reader waits, and ends it with the stream", async () => {
  mkdirSync(at("from"));
  writeFileSync(at("from/sparse"), "");
  truncateSync(at("from/sparse"), 300 * MIB);
  const reader = relayed.fs.packDirectory(at("from")).getReader();
  let read = (await reader.read()).value?.length ?? 0;
  // What arrives without being read is bounded: a limit of 64 MiB would fail the stream.
  let granted = 0;
  await expect
    .poll(
      () => {
        const before = granted;
        granted = relayed.relay.received.filter(({ method }) => method === "process/write").length;
        return granted - before;
      },
      { interval: 200 },
    )
    .toBe(0);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    read += value.length;
  }
  expect(read).toBeGreaterThan(300 * MIB);
  await expect.poll(() => processesWith(at("from"))).toEqual([]);
}, 60_000);

it.each<[string, (stream: ReadableStream<Uint8Array>, stop: AbortController) => Promise<unknown>]>([
  ["cancelled", (stream) => stream.cancel()],
  ["aborted", async (_, stop) => stop.abort()],
])("leaves no process behind when the stream is %s", async (_, end) => {
  mkdirSync(at("from"));
  writeFileSync(at("from/sparse"), "");
  truncateSync(at("from/sparse"), 300 * MIB);
  const stop = new AbortController();
  const stream = relayed.fs.packDirectory(at("from"), { signal: stop.signal });
  const reader = stream.getReader();
  await reader.read();
  expect(processesWith(at("from"))).not.toEqual([]);
  reader.releaseLock();
  await end(stream, stop);
  await expect.poll(() => processesWith(at("from"))).toEqual([]);
});

it.each([
  ["none", "not-found"],
  ["file", "not-a-directory"],
  ["file/x", "not-a-directory"],
])("fails the stream of %j", async (name, kind) => {
  writeFileSync(at("file"), "");
  const error = await failureOf(relayed.fs.packDirectory(at(name)).getReader().read());
  expect(error).toMatchObject({ code: "ERR_SERVER", kind, operation: "packDirectory", path: at(name) });
});

it("refuses to unpack what is no whole archive, and leaves nothing behind", async () => {
  const tar = tarOf({ a: Buffer.alloc(3 * MIB, "a") });
  async function* failing() {
    yield tar.subarray(0, 2 * MIB);
    throw new RangeError("the source failed");
  }
  const invalid = { code: "ERR_INVALID_ARGUMENT", operation: "unpackDirectory" };
  expect(await failureOf(relayed.fs.unpackDirectory(at("to"), tar.subarray(0, 2 * MIB)))).toMatchObject(
    invalid,
  );
  expect(
    await failureOf(
      relayed.fs.unpackDirectory(at("to"), new Blob([new Uint8Array(tar.subarray(0, 2 * MIB))])),
    ),
  ).toMatchObject(invalid);
  expect(await failureOf(relayed.fs.unpackDirectory(at("to"), new Uint8Array()))).toMatchObject(invalid);
  expect(await failureOf(relayed.fs.unpackDirectory(at("to"), failing()))).toMatchObject({
    message: "the source failed",
  });
  const garbage = Buffer.concat([Buffer.alloc(2 * MIB, "x"), Buffer.alloc(1024)]);
  expect(await failureOf(relayed.fs.unpackDirectory(at("to"), garbage))).toMatchObject({
    code: "ERR_SERVER",
  });
  await expect.poll(() => readdirSync(at("to"))).toEqual([]);
});

it("refuses bytes that are no archive before anything is sent", async () => {
  const before = relayed.relay.received.length;
  await failureOf(relayed.fs.unpackDirectory(at("to"), new Uint8Array(2_000).fill(1)));
  expect(relayed.relay.received).toHaveLength(before);
});

it("unpacks nothing outside of the directory", async () => {
  writeFileSync(at("x"), "evil");
  mkdirSync(at("deep"));
  const command = ["-cPf", "-", "-C", at("deep"), "--transform", "s,^,../,", "../x"];
  const tar = execFileSync("tar", command.filter(Boolean), { stdio: ["ignore", "pipe", "ignore"] });
  await failureOf(
    relayed.fs.unpackDirectory(at("to/inner"), tar).then(() => Promise.reject(new Error("either"))),
  );
  expect(readdirSync(at("to"))).toEqual(["inner"]);
  expect(readFileSync(at("x"), "utf8")).toBe("evil");
});

it("refuses both, unsent, on a server without a POSIX system, and where there is no tar", async () => {
  for (const environmentInfo of [{ platformOs: "windows" }, {}]) {
    await using server = new TestServer({ environmentInfo });
    await using client = await ExecServerClient.connect({ transport: server.transport });
    server.files.mkdir("/d");
    const unsupported = { code: "ERR_UNSUPPORTED" };
    expect(await failureOf(client.fs.packDirectory("/d").getReader().read())).toMatchObject(unsupported);
    expect(await failureOf(client.fs.unpackDirectory("/d", new Uint8Array(1024)))).toMatchObject(unsupported);
    expect(server.files.paths()).toEqual([]);
  }
});

it("refuses wrong arguments at once", async () => {
  expect(() => relayed.fs.packDirectory("relative")).toThrow(/absolute path/);
  expect(() => relayed.fs.packDirectory(at("x"), { sort: true } as never)).toThrow(/no option "sort"/);
  const wrong = relayed.fs.unpackDirectory(at("to"), 7 as never);
  expect(await failureOf(wrong)).toMatchObject({ code: "ERR_INVALID_ARGUMENT" });
  const none = await failureOf(relayed.fs.unpackDirectory(at("to"), null as never));
  expect((none as Error).message).toMatch(/: tar must be .*, got null$/);
});
