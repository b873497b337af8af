import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ExecServerError, LazyExecServerClient, type RemoteFileSystem, webSocket } from "../../src/index.ts";
import { failureOf } from "../support/failure.ts";
import { realFiles } from "../support/remote-files.ts";

let real: Awaited<ReturnType<typeof realFiles>>;
beforeAll(async () => {
  real = await realFiles();
  await real.sh("touch file; mkdir dir empty; touch dir/x; ln -s loop loop");
});
afterAll(() => real[Symbol.asyncDispose]());

type Act = (fs: RemoteFileSystem, path: string) => unknown;

const CALLS: readonly (readonly [operation: string, act: Act])[] = [
  ["readFile", (fs, path) => fs.readFile(path)],
  ["writeFile", (fs, path) => fs.writeFile(path, "")],
  ["mkdir", (fs, path) => fs.mkdir(path)],
  ["rm", (fs, path) => fs.rm(path)],
  ["cp", (fs, path) => fs.cp(path, "/tmp/x")],
  ["realpath", (fs, path) => fs.realpath(path)],
  ["stat", (fs, path) => fs.stat(path)],
  ["readdir", (fs, path) => fs.readdir(path)],
  ["walk", (fs, path) => fs.walk(path)],
  ["createReadStream", (fs, path) => fs.createReadStream(path).getReader().read()],
  ["createWriteStream", (fs, path) => fs.createWriteStream(path).getWriter().write(new Uint8Array(1))],
  ["whenAppears", (fs, path) => fs.whenAppears([path])],
];

const PACK: (typeof CALLS)[number] = [
  "packDirectory",
  (fs, path) => fs.packDirectory(path).getReader().read(),
];

async function errorOf(act: () => unknown): Promise<ExecServerError> {
  const error = await failureOf((async () => act())());
  expect(error).toBeInstanceOf(ExecServerError);
  return error as ExecServerError;
}

describe("an error names the operation and the path, as it was given:", () => {
  it.each(CALLS)("%s that the server rejects", async (operation, act) => {
    const path = operation === "whenAppears" ? real.path("file/below") : real.path("none/a b");
    const error = await errorOf(() => act(real.fs, path));
    expect(error).toMatchObject({ code: "ERR_SERVER", operation, path });
    expect(error.message).toContain(`${operation} '${path}'`);
  });

  it.each(CALLS)("%s that is invalid", async (operation, act) => {
    const error = await errorOf(() => act(real.fs, "not/absolute"));
    expect(error).toMatchObject({ code: "ERR_INVALID_ARGUMENT", operation, path: "not/absolute" });
    expect(error.message).toMatch(new RegExp(`^${operation} 'not/absolute'`));
  });

  it("of a URL, its native path", async () => {
    const url = new URL("file:///none/a%20b");
    expect(await errorOf(() => real.fs.readFile(url))).toMatchObject({ path: "/none/a b" });
    expect(await errorOf(() => real.fs.readFile(url.href))).toMatchObject({ path: "/none/a b" });
  });

  it("never of a URL that is no path, which can hold credentials", async () => {
    for (const url of ["https://user:secret@host/a?token=secret", "file:///a?token=secret"]) {
      for (const path of [url, new URL(url)]) {
        const error = await errorOf(() => real.fs.readFile(path));
        expect(error).not.toHaveProperty("path");
        expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toContain("secret");
      }
    }
  });

  it("exists() of a path of another system", async () => {
    expect(await errorOf(() => real.fs.exists("C:\\x"))).toMatchObject({
      operation: "exists",
      path: "C:\\x",
    });
  });
});

it.each([...CALLS, PACK])(
  "the stack of an error of %s has the line of its caller within ten frames",
  async (operation, act) => {
    async function theCaller(): Promise<unknown> {
      return await act(real.fs, operation === "whenAppears" ? real.path("file/below") : real.path("none/x"));
    }
    const { stack = "" } = await errorOf(theCaller);
    expect(stack.split("\n")[0]).toContain(`${operation} '`);
    expect(stack.split("\n").slice(1, 11).join("\n")).toContain("theCaller");
  },
);

it("rm of a directory that is empty says what to pass", async () => {
  const error = await errorOf(() => real.fs.rm(real.path("empty")));
  expect(error).toMatchObject({
    code: "ERR_INVALID_ARGUMENT",
    message: `rm '${real.path("empty")}': path must not be a directory unless recursive is true`,
  });
  expect(await real.fs.exists(real.path("empty"))).toBe(true);
});

describe("exists()", () => {
  it("is false for a name that is too long, and for links in a circle", async () => {
    const { fs } = real;
    expect(await fs.exists(real.path("n".repeat(256)))).toBe(false);
    expect(await fs.exists(`/${"x/".repeat(3_000)}`)).toBe(false);
    expect(await fs.exists(real.path("loop"))).toBe(false);
    expect(await fs.exists(real.path("loop/x"))).toBe(false);
  });
});

describe("file methods keep working", () => {
  it("taken from the client, and through a Proxy", async () => {
    const { readFile, writeFile } = real.fs;
    await writeFile(real.path("taken"), "taken");
    expect(await readFile(real.path("taken"), "utf8")).toBe("taken");
    const deep = <T extends object>(target: T): T =>
      new Proxy(target, {
        get(object, name, receiver) {
          const value: unknown = Reflect.get(object, name, receiver);
          const descriptor = Reflect.getOwnPropertyDescriptor(object, name);
          const isFixed = descriptor && !descriptor.configurable && !descriptor.writable;
          return typeof value === "object" && value !== null && !isFixed ? deep(value) : value;
        },
      });
    expect(await deep({ fs: real.fs }).fs.readFile(real.path("taken"), "utf8")).toBe("taken");
    const lazy = new LazyExecServerClient({ transport: webSocket(real.server.url) });
    expect(await deep({ fs: lazy.fs }).fs.readFile(real.path("taken"), "utf8")).toBe("taken");
    await lazy.close();
  });

  it("when onProgress is async and rejects", async () => {
    const rejections: unknown[] = [];
    const onRejection = (reason: unknown): void => void rejections.push(reason);
    process.on("unhandledRejection", onRejection);
    const onProgress = async (): Promise<void> => {
      throw new Error("of the callback");
    };
    await real.fs.writeFile(real.path("p"), new Uint8Array(2_000_000), { onProgress });
    expect(await real.fs.readFile(real.path("p"), { onProgress })).toHaveLength(2_000_000);
    for await (const _ of real.fs.createReadStream(real.path("p"), { onProgress }));
    const writer = real.fs.createWriteStream(real.path("p"), { onProgress }).getWriter();
    await writer.write(new Uint8Array(2_000_000));
    await writer.close();
    await new Promise(setImmediate);
    process.off("unhandledRejection", onRejection);
    expect(rejections).toEqual([]);
  });
});
