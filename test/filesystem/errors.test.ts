import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RemoteFileSystem, ServerError } from "../../src/index.ts";
import { failureOf } from "../support/failure.ts";
import { realFiles } from "../support/remote-files.ts";

const LARGE = new Uint8Array(1024 * 1024 + 1);

let real: Awaited<ReturnType<typeof realFiles>>;
beforeAll(async () => {
  real = await realFiles();
  await real.sh("mkdir -p dir/sub; touch file; mkfifo fifo; ln -s loop-b loop-a; ln -s loop-a loop-b");
});
afterAll(() => real[Symbol.asyncDispose]());

type Act = (fs: RemoteFileSystem, path: string) => Promise<unknown>;
const read: Act = (fs, path) => fs.createReadStream(path).getReader().read();
const write: Act = (fs, path) => fs.createWriteStream(path).getWriter().write(new Uint8Array(1));

describe("the kind of an error", () => {
  it.each<[string, string, string, number, Act]>([
    ["readFile", "none", "not-found", -32004, (fs, path) => fs.readFile(path)],
    ["readFile", "dir", "not-a-file", -32600, (fs, path) => fs.readFile(path)],
    ["readFile", "file/x", "not-a-directory", -32603, (fs, path) => fs.readFile(path)],
    ["writeFile", "none/x", "not-found", -32004, (fs, path) => fs.writeFile(path, "")],
    ["writeFile", "dir", "not-a-file", -32603, (fs, path) => fs.writeFile(path, "")],
    ["writeFile", "file/x", "not-a-directory", -32603, (fs, path) => fs.writeFile(path, "")],
    ["writeFile of a large file", "none/x", "not-found", -32004, (fs, path) => fs.writeFile(path, LARGE)],
    ["writeFile of a large file", "dir", "not-a-file", -32603, (fs, path) => fs.writeFile(path, LARGE)],
    ["createReadStream", "none", "not-found", -32004, read],
    ["createReadStream", "dir", "not-a-file", -32600, read],
    ["createWriteStream", "none/x", "not-found", -32004, write],
    ["createWriteStream", "dir", "not-a-file", -32603, write],
    ["mkdir", "file", "already-exists", -32603, (fs, path) => fs.mkdir(path, { recursive: true })],
    ["mkdir", "file/x", "not-a-directory", -32603, (fs, path) => fs.mkdir(path, { recursive: true })],
    ["rm", "none", "not-found", -32004, (fs, path) => fs.rm(path)],
    ["rm", "dir", "not-empty", -32603, (fs, path) => fs.rm(path)],
    ["cp", "none", "not-found", -32004, (fs, path) => fs.cp(path, `${path}-2`)],
    ["stat", "none", "not-found", -32004, (fs, path) => fs.stat(path)],
    ["realpath", "none", "not-found", -32004, (fs, path) => fs.realpath(path)],
    ["readdir", "none", "not-found", -32004, (fs, path) => fs.readdir(path)],
    ["readdir", "file", "not-a-directory", -32603, (fs, path) => fs.readdir(path)],
    ["walk", "none", "not-found", -32004, (fs, path) => fs.walk(path)],
  ])("of %s of %s is %s", async (_, name, kind, rpcCode, act) => {
    const error = await failureOf(act(real.fs, real.path(name)));
    expect(error).toBeInstanceOf(ServerError);
    expect(error).toMatchObject({
      kind,
      rpcCode,
      delivery: "answered",
      sessionId: real.client.sessionId,
    });
  });

  it("is missing for an error the SDK does not recognise, which keeps the server's message", async () => {
    const error = await failureOf(real.fs.stat(real.path("loop-a")));
    expect(error).toMatchObject({ code: "ERR_SERVER", message: expect.stringMatching(/loop/i) });
    expect(error).not.toHaveProperty("kind");
  });
});

it("rejects for a fifo within a second, and the connection stays usable", async () => {
  const started = performance.now();
  const path = real.path("fifo");
  expect(await failureOf(real.fs.readFile(path))).toMatchObject({ kind: "not-a-file" });
  expect(await failureOf(read(real.fs, path))).toMatchObject({ kind: "not-a-file" });
  expect(await failureOf(write(real.fs, path))).toMatchObject({ code: "ERR_SERVER" });
  expect(await failureOf(real.fs.writeFile(path, LARGE))).toMatchObject({ code: "ERR_SERVER" });
  expect(await real.client.status()).toEqual({ status: "ready" });
  expect(performance.now() - started).toBeLessThan(1_000);
});

describe("a path of another system", () => {
  it.each<[string, Act]>([
    ["readFile", (fs, path) => fs.readFile(path)],
    ["writeFile", (fs, path) => fs.writeFile(path, "")],
    ["stat", (fs, path) => fs.stat(path)],
    ["exists", (fs, path) => fs.exists(path)],
    ["mkdir", (fs, path) => fs.mkdir(path)],
    ["walk", (fs, path) => fs.walk(path)],
    ["createReadStream", read],
    ["whenAppears", (fs, path) => fs.whenAppears([path])],
  ])("is rejected by %s with its URI and the name of the system", async (_, act) => {
    for (const [path, uri] of [
      ["C:\\tmp\\a b", "file:///C:/tmp/a%20b"],
      ["\\\\server\\share", "file://server/share"],
      ["\\\\.\\COM1", "file:///%00/bad/path/"],
    ] as const) {
      const error = await failureOf(act(real.fs, path));
      expect(error).toMatchObject({ code: "ERR_SERVER", kind: "invalid" });
      expect((error as Error).message).toContain(`'${uri}`);
      expect((error as Error).message).toContain("is invalid on 'linux'");
    }
  });

  it("is rejected as a working directory too", async () => {
    expect(await failureOf(real.client.run(["true"], { cwd: "C:\\tmp" }))).toMatchObject({
      code: "ERR_SERVER",
      message: expect.stringMatching(/file:\/\/\/C:\/tmp.*linux/),
    });
  });
});
