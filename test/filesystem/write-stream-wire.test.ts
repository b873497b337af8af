import { describe, expect, it } from "vitest";
import { failureOf } from "../support/failure.ts";
import { type FileRequest, scriptedFiles } from "../support/scripted-files.ts";

const MIB = 1024 * 1024;

/** A write stream to a server that confirms one block with each call of `confirm`. */
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
  it("keeps at most four blocks in flight and waits for their confirmation", async () => {
    await using scripted = await slowServer();
    let written = 0;
    const writing = Array.from({ length: 10 }, () =>
      scripted.writer.write(new Uint8Array(MIB)).then(() => written++),
    );
    await scripted.connection.request("fs/writeBlock", 4);
    expect([await scripted.count("fs/writeBlock"), written, scripted.writer.desiredSize]).toEqual([
      4,
      3,
      expect.any(Number),
    ]);
    expect(scripted.writer.desiredSize).toBeLessThanOrEqual(0);
    for (let confirmed = 1; confirmed <= 6; confirmed++) {
      scripted.confirm();
      await scripted.connection.request("fs/writeBlock", 4 + confirmed);
      expect(await scripted.count("fs/writeBlock")).toBe(4 + confirmed);
    }
    const closed = scripted.writer.close();
    for (let confirmed = 0; confirmed < 4; confirmed++) scripted.confirm();
    await Promise.all([...writing, closed]);
    expect(await scripted.count("fs/writeBlock")).toBe(10);
    expect(await scripted.count("fs/close")).toBe(1);
  });

  it.each<[string, boolean]>([
    ["its signal", true],
    ["its writer", false],
  ])("rejects a pending write when %s aborts, with the reason and the bytes written", async (_, bySignal) => {
    const controller = new AbortController();
    await using scripted = await slowServer({ signal: controller.signal });
    const writing = failureOf(scripted.writer.write(new Uint8Array(20 * MIB)));
    await scripted.connection.request("fs/writeBlock", 4);
    scripted.confirm();
    scripted.confirm();
    await scripted.connection.request("fs/writeBlock", 6);
    const reason = new Error("aborted");
    if (bySignal) controller.abort(reason);
    else await scripted.writer.abort(reason);
    expect(await writing).toBe(reason);
    expect(reason).toHaveProperty("bytesWritten", 2 * MIB);
    expect(await failureOf(scripted.writer.closed)).toBe(reason);
    await scripted.connection.request("fs/close");
    expect(await scripted.count("fs/writeBlock")).toBe(6);
    expect(await failureOf(scripted.writer.write(new Uint8Array(1)))).toBe(reason);
  });

  it("closes the handle that arrives after an abort", async () => {
    await using scripted = await slowServer();
    const writing = failureOf(scripted.writer.write(new Uint8Array(MIB)));
    const reason = new Error("aborted");
    const aborted = scripted.writer.abort(reason);
    expect(await writing).toBe(reason);
    await aborted;
    if ((await scripted.count("fs/open")) > 0) await scripted.connection.request("fs/close");
    expect(await scripted.count("fs/writeBlock")).toBe(0);
  });

  it("rejects a close that is aborted before all bytes are confirmed", async () => {
    const controller = new AbortController();
    await using scripted = await slowServer({ signal: controller.signal });
    await scripted.writer.write(new Uint8Array(10));
    const closing = failureOf(scripted.writer.close());
    await scripted.connection.request("fs/writeBlock");
    const reason = new Error("aborted");
    controller.abort(reason);
    expect(await closing).toBe(reason);
    expect(reason).toHaveProperty("bytesWritten", 0);
  });

  it("rejects with an abort reason that is not an error, or frozen, unchanged", async () => {
    const controller = new AbortController();
    await using scripted = await slowServer({ signal: controller.signal });
    const writing = scripted.writer.write(new Uint8Array(20 * MIB)).catch((reason: unknown) => reason);
    await scripted.connection.request("fs/writeBlock", 4);
    controller.abort("aborted");
    expect(await writing).toBe("aborted");
    const frozen = Object.freeze(new Error("frozen"));
    await using other = await slowServer({ signal: AbortSignal.abort(frozen) });
    expect(await failureOf(other.writer.write(new Uint8Array(1)))).toBe(frozen);
  });
});

it("a server without block writes receives a file in one request, if it fits into a frame", async () => {
  await using scripted = await scriptedFiles((connection, request) => connection.answer(request, {}), {
    fileWriteStreaming: false,
  });
  await scripted.fs.writeFile("/file", new Uint8Array(5 * MIB));
  const tooLarge = scripted.fs.writeFile("/file", new Uint8Array(12 * MIB));
  expect(await failureOf(tooLarge)).toMatchObject({
    code: "ERR_UNSUPPORTED",
    feature: "writeStreams",
    delivery: "not-sent",
  });
  expect([await scripted.count("fs/writeFile"), await scripted.count("fs/open")]).toEqual([1, 0]);
});
