import { mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { ExecServerClient } from "../../../src/index.ts";
import { TestServer } from "../../../src/testing.ts";
import { failureOf } from "../../support/failure.ts";
import { useRelayedFolders } from "../../support/remote-files.ts";

const MIB = 1024 * 1024;

const relayed = useRelayedFolders();
const { at } = relayed;

async function sentFor(act: () => Promise<unknown>) {
  const before = relayed.relay.received.length;
  await act();
  return relayed.relay.received.slice(before).filter(({ id }) => id !== undefined);
}

it.each<[string, (at: (name: string) => string) => Promise<unknown>]>([
  ["rename", (at) => relayed.fs.rename(at("file"), at("new"))],
  ["appendFile", (at) => relayed.fs.appendFile(at("file"), "x".repeat(25_000))],
  ["writeFile with a mode", (at) => relayed.fs.writeFile(at("new"), "x", { mode: 0o600 })],
  ["writeFile with a flag", (at) => relayed.fs.writeFile(at("new"), "x", { flag: "wx" })],
  ["chmod", (at) => relayed.fs.chmod(at("file"), 0o600)],
  ["symlink", (at) => relayed.fs.symlink("file", at("new"))],
  ["readlink", (at) => relayed.fs.readlink(at("link"))],
  ["mkdtemp", (at) => relayed.fs.mkdtemp(at("tmp-"))],
])("%s takes one start, and no other request", async (_, act) => {
  writeFileSync(at("file"), "");
  symlinkSync("file", at("link"));
  const sent = await sentFor(() => act(at));
  expect(sent.map(({ method }) => method)).toEqual(["process/start"]);
});

it("lstat takes no start where there is no link", async () => {
  writeFileSync(at("file"), "");
  const sent = await sentFor(() => relayed.fs.lstat(at("file")));
  expect(sent.map(({ method }) => method)).toEqual(["fs/getMetadata"]);
});

it("passes contents by what other users can't read, never as arguments", async () => {
  const sent = await sentFor(async () => {
    await relayed.fs.appendFile(at("small"), "secret".repeat(10));
    await relayed.fs.appendFile(at("large"), "secret".repeat(100_000));
    await relayed.fs.writeFile(at("mode"), "secret", { mode: 0o600 });
  });
  const starts = sent.filter(({ method }) => method === "process/start");
  expect(starts).toHaveLength(3);
  for (const { params } of starts) expect(JSON.stringify(params?.["argv"])).not.toContain("secret");
});

it("creates a private file without a moment in which others can read it", async () => {
  const modes: number[] = [];
  relayed.relay.intercept = ({ method }) => {
    if (method === "fs/writeBlock") modes.push(statSync(at("private")).mode & 0o777);
    return undefined;
  };
  await relayed.fs.writeFile(at("private"), new Uint8Array(2 * MIB), { mode: 0o600 });
  expect(modes).toEqual([0o600, 0o600]);
});

it("appends a stream in pieces, and tells how much had arrived when it fails", async () => {
  async function* source() {
    for (let n = 0; n < 6; n++) yield new Uint8Array(MIB);
    throw new RangeError("the source failed");
  }
  writeFileSync(at("log"), "12345");
  const error = await failureOf(relayed.fs.appendFile(at("log"), source()));
  expect(error).toMatchObject({ message: "the source failed", bytesWritten: 4 * MIB });
  expect(statSync(at("log")).size).toBe(5 + 4 * MIB);
});

it("appends the memory that a source reuses as it was", async () => {
  const memory = new Uint8Array(3);
  async function* source() {
    for (let n = 1; n < 4; n++) yield memory.fill(n);
  }
  await relayed.fs.appendFile(at("log"), source());
  expect([...(await relayed.fs.readFile(at("log")))]).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3]);
});

it("reports the progress of an append", async () => {
  const seen: unknown[] = [];
  await relayed.fs.appendFile(at("log"), new Uint8Array(5 * MIB), {
    onProgress: (progress) => seen.push(progress),
  });
  expect(seen).toEqual([
    { bytes: 4 * MIB, total: 5 * MIB },
    { bytes: 5 * MIB, total: 5 * MIB },
  ]);
});

it("names the operation and both paths", async () => {
  const error = await failureOf(relayed.fs.rename(at("none"), at("new")));
  expect(error).toMatchObject({
    code: "ERR_SERVER",
    kind: "not-found",
    operation: "rename",
    path: at("none"),
  });
  expect((error as Error).message).toContain(`rename '${at("none")}' to '${at("new")}': not found`);
});

it("finds the kind of an error in what failed, not in the names", async () => {
  mkdirSync(at("not found: permission denied"));
  const error = await failureOf(relayed.fs.rename("/proc/version", at("not found: permission denied/x")));
  expect(error).toMatchObject({ code: "ERR_SERVER" });
  expect(error).not.toHaveProperty("kind");
});

it("rejects with the reason of an abort, and ends the script", async () => {
  const controller = new AbortController();
  async function* source() {
    yield new Uint8Array(100_000);
    controller.abort(new RangeError("enough"));
    yield new Uint8Array(100_000);
  }
  const error = await failureOf(relayed.fs.appendFile(at("log"), source(), { signal: controller.signal }));
  expect(error).toBe(controller.signal.reason);
  expect(readdirSync(at(""))).toEqual([]);
});

it.each([
  [{ platformOs: "windows" }, "requires a POSIX server"],
  [{ platformOs: undefined }, "requires a POSIX server"],
])("is refused, unsent, by a server with %o", async (environmentInfo, problem) => {
  await using server = new TestServer({ environmentInfo: environmentInfo as never });
  await using client = await ExecServerClient.connect({ transport: server.transport });
  server.files.write("/file", "x");
  const windows = "C:\\file";
  const calls: readonly (() => Promise<unknown>)[] = [
    () => client.fs.rename("/file", "/new"),
    () => client.fs.appendFile("/file", "x"),
    () => client.fs.writeFile("/file", "x", { flag: "wx" }),
    () => client.fs.writeFile("/file", "x", { mode: 0o600 }),
    () => client.fs.chmod("/file", 0o600),
    () => client.fs.symlink("x", "/link"),
    () => client.fs.readlink("/file"),
    () => client.fs.mkdtemp("/x"),
    () => client.fs.rename(windows, windows),
    () => client.fs.rename("/file", windows),
    () => client.fs.appendFile(windows, "x"),
    () => client.fs.chmod(windows, 0o600),
    () => client.fs.packDirectory(windows).getReader().read(),
    () => client.fs.unpackDirectory(windows, new Uint8Array(1024)),
  ];
  for (const call of calls) {
    const error = await failureOf(call());
    expect(error).toMatchObject({ code: "ERR_UNSUPPORTED", delivery: "not-sent" });
    expect((error as Error).message).toContain(problem);
  }
  expect(server.requests("process/start")).toEqual([]);
  expect((await client.fs.lstat("/file")).isFile()).toBe(true);
});

it("names what is missing on a server without a shell or a tool", async () => {
  relayed.relay.intercept = ({ method }) =>
    method === "process/start"
      ? { error: { code: -32603, message: "No such file or directory (os error 2)" } }
      : undefined;
  const error = await failureOf(relayed.fs.chmod(at("file"), 0o600));
  expect(error).toMatchObject({ code: "ERR_UNSUPPORTED", operation: "chmod", path: at("file") });
  expect((error as Error).message).toContain("requires /bin/sh on the server");

  await using server = new TestServer();
  await using client = await ExecServerClient.connect({ transport: server.transport });
  expect(await failureOf(client.fs.symlink("x", "/link"))).toMatchObject({ code: "ERR_UNSUPPORTED" });
});
