import { getEventListeners } from "node:events";
import { afterEach, describe, expect, it, vi } from "vitest";
import { failureOf } from "../support/failure.ts";
import { scriptedFiles } from "../support/scripted-files.ts";

const MIB = 1024 * 1024;

afterEach(() => void vi.unstubAllGlobals());

/** A file without an end, for which the server reports a size. */
async function endlessFile(size: number) {
  const chunk = Buffer.alloc(MIB).toString("base64");
  const metadata = { isFile: true, isDirectory: false, isSymlink: false, createdAtMs: 0, modifiedAtMs: 0 };
  return await scriptedFiles((connection, request) => {
    const isBlock = request.method === "fs/readBlock";
    connection.answer(request, (isBlock ? { chunk, eof: false } : { ...metadata, size }) as never);
  });
}

/** Makes the allocation of arrays above a size fail. */
function limitMemory(bytes: number): void {
  const limited = new Proxy(Uint8Array, {
    construct(target, args) {
      if (Number(args[0]) > bytes) throw new RangeError("Array buffer allocation failed");
      return Reflect.construct(target, args) as object;
    },
  });
  vi.stubGlobal("Uint8Array", limited);
}

describe("readFile() of a file that does not fit into memory rejects and leaves no handle or listener", () => {
  it("when the server reports its size", async () => {
    await using scripted = await endlessFile(2 ** 52);
    const { signal } = new AbortController();
    expect(await failureOf(scripted.fs.readFile("/large", { signal }))).toMatchObject({
      code: "ERR_TOO_LARGE",
      message: expect.stringContaining("createReadStream()"),
      delivery: "not-sent",
    });
    expect(getEventListeners(signal, "abort")).toEqual([]);
    expect(await scripted.count("fs/open")).toBe(0);
  });

  it("when it has grown since the server reported its size", async () => {
    await using scripted = await endlessFile(1.5 * MIB);
    const { signal } = new AbortController();
    limitMemory(2 * MIB);
    expect(await failureOf(scripted.fs.readFile("/large", { signal }))).toMatchObject({
      code: "ERR_TOO_LARGE",
      message: expect.stringContaining("createReadStream()"),
      delivery: "answered",
    });
    expect(getEventListeners(signal, "abort")).toEqual([]);
    await scripted.connection.request("fs/close");
  });
});
