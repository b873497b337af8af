import { describe, expect, it } from "vitest";
import { failureOf } from "../support/failure.ts";
import { type FileRequest, scriptedFiles } from "../support/scripted-files.ts";

const MIB = 1024 * 1024;

/** A stream to a server that confirms blocks one by one, as it is told to. */
async function slowServer(options?: { signal?: AbortSignal }) {
  const blocks: FileRequest[] = [];
  const files = await scriptedFiles((_, block) => blocks.push(block));
  return {
    ...files,
    confirm: () => files.connection.answer(blocks.shift() as FileRequest, {}),
    writer: files.fs.createWriteStream("/file", options).getWriter(),
  };
}

describe("a write stream", () => {
  it("has no more than four blocks on their way, and waits for their confirmation", async () => {
    await using it = await slowServer();
    let written = 0;
    const writing = Array.from({ length: 10 }, () =>
      it.writer.write(new Uint8Array(MIB)).then(() => written++),
    );
    await it.connection.request("fs/writeBlock", 4);
    expect([await it.count("fs/writeBlock"), written, it.writer.desiredSize]).toEqual([
      4,
      3,
      expect.any(Number),
    ]);
    expect(it.writer.desiredSize).toBeLessThanOrEqual(0);
    for (let confirmed = 1; confirmed <= 6; confirmed++) {
      it.confirm();
      await it.connection.request("fs/writeBlock", 4 + confirmed);
      expect(await it.count("fs/writeBlock")).toBe(4 + confirmed);
    }
    const closed = it.writer.close();
    for (let confirmed = 0; confirmed < 4; confirmed++) it.confirm();
    await Promise.all([...writing, closed]);
    expect(await it.count("fs/writeBlock")).toBe(10);
    expect(await it.count("fs/close")).toBe(1);
  });

  it.each<[string, boolean]>([
    ["its signal", true],
    ["its writer", false],
  ])(
    "ends a write under way when %s aborts it, with the reason and what had arrived",
    async (_, bySignal) => {
      const controller = new AbortController();
      await using it = await slowServer({ signal: controller.signal });
      const writing = failureOf(it.writer.write(new Uint8Array(20 * MIB)));
      await it.connection.request("fs/writeBlock", 4);
      it.confirm();
      it.confirm();
      await it.connection.request("fs/writeBlock", 6);
      const reason = new Error("enough");
      if (bySignal) controller.abort(reason);
      else await it.writer.abort(reason);
      expect(await writing).toBe(reason);
      expect(reason).toHaveProperty("bytesWritten", 2 * MIB);
      expect(await failureOf(it.writer.closed)).toBe(reason);
      await it.connection.request("fs/close");
      expect(await it.count("fs/writeBlock")).toBe(6);
      expect(await failureOf(it.writer.write(new Uint8Array(1)))).toBe(reason);
    },
  );

  it("that is aborted while it opens closes the handle that comes late", async () => {
    await using it = await slowServer();
    const writing = failureOf(it.writer.write(new Uint8Array(MIB)));
    const reason = new Error("enough");
    const aborted = it.writer.abort(reason);
    expect(await writing).toBe(reason);
    await aborted;
    if ((await it.count("fs/open")) > 0) await it.connection.request("fs/close");
    expect(await it.count("fs/writeBlock")).toBe(0);
  });

  it("that is aborted while it closes does not say that all is written", async () => {
    const controller = new AbortController();
    await using it = await slowServer({ signal: controller.signal });
    await it.writer.write(new Uint8Array(10));
    const closing = failureOf(it.writer.close());
    await it.connection.request("fs/writeBlock");
    const reason = new Error("enough");
    controller.abort(reason);
    expect(await closing).toBe(reason);
    expect(reason).toHaveProperty("bytesWritten", 0);
  });

  it("takes an abort reason that is no error as it is", async () => {
    const controller = new AbortController();
    await using it = await slowServer({ signal: controller.signal });
    const writing = it.writer.write(new Uint8Array(20 * MIB)).catch((reason: unknown) => reason);
    await it.connection.request("fs/writeBlock", 4);
    controller.abort("enough");
    expect(await writing).toBe("enough");
    const frozen = Object.freeze(new Error("frozen"));
    await using other = await slowServer({ signal: AbortSignal.abort(frozen) });
    expect(await failureOf(other.writer.write(new Uint8Array(1)))).toBe(frozen);
  });
});

it("a server that takes files whole only gets them in one request, as far as a frame holds them", async () => {
  await using it = await scriptedFiles((connection, request) => connection.answer(request, {}), {
    fileWriteStreaming: false,
  });
  await it.fs.writeFile("/file", new Uint8Array(5 * MIB));
  const tooLarge = it.fs.writeFile("/file", new Uint8Array(12 * MIB));
  expect(await failureOf(tooLarge)).toMatchObject({ code: "ERR_TOO_LARGE", delivery: "not-sent" });
  expect([await it.count("fs/writeFile"), await it.count("fs/open")]).toEqual([1, 0]);
});
