import { describe, expect, it } from "vitest";
import { failureOf } from "../support/failure.ts";
import { type FileRequest, scriptedFiles } from "../support/scripted-files.ts";

const MIB = 1024 * 1024;
const BLOCK = Buffer.alloc(MIB, "x").toString("base64");

describe("a read stream", () => {
  it("keeps at most four blocks in flight while it is not read", async () => {
    await using scripted = await scriptedFiles((connection, block) =>
      connection.answer(block, { chunk: BLOCK, eof: false }),
    );
    const reader = scripted.client.fs.createReadStream("/endless").getReader();
    for (let taken = 1; taken <= 5; taken++) {
      expect((await reader.read()).value).toHaveLength(MIB);
      expect(await scripted.count("fs/readBlock")).toBe(taken + 4);
    }
    await reader.cancel();
    await scripted.connection.request("fs/close");
    expect(await scripted.count("fs/readBlock")).toBe(9);
  });

  it("requests one block, and further ones only if the file has more", async () => {
    await using scripted = await scriptedFiles((connection, block) => {
      if (block.params["len"] === MIB) connection.answer(block, { chunk: BLOCK, eof: false });
    });
    const reader = scripted.fs.createReadStream("/file", { start: 5, end: 3 * MIB }).getReader();
    const reading = reader.read();
    await scripted.connection.request("fs/readBlock");
    await reading;
    const lastBlock = await scripted.connection.request("fs/readBlock", 3);
    const sent = scripted.server.requests("fs/readBlock");
    expect(sent.map(({ params }) => [params.offset, params.len])).toEqual([
      [5, MIB],
      [MIB + 5, MIB],
      [2 * MIB + 5, MIB - 4],
    ]);
    const rest = [await reader.read(), reader.read(), reader.read()];
    scripted.connection.answer(lastBlock, { chunk: BLOCK.slice(0, 4), eof: true });
    expect((await Promise.all(rest)).map(({ value }) => value?.length)).toEqual([MIB, 3, undefined]);
    expect(await scripted.count("fs/readBlock")).toBe(3);
  });

  it("yields blocks in order, whatever the order of their responses", async () => {
    const held: FileRequest[] = [];
    await using scripted = await scriptedFiles((connection, block) => {
      const offset = Number(block.params["offset"]);
      if (offset > 0 && held.push(block) < 3) return;
      // In reverse order.
      for (const request of [block, ...held.splice(0).reverse()]) {
        const at = Number(request.params["offset"]) / MIB;
        const chunk = Buffer.alloc(at === 3 ? 1 : MIB, at).toString("base64");
        connection.answer(request, { chunk, eof: at === 3 });
      }
    });
    const bytes = await scripted.fs.createReadStream("/file", { end: 4 * MIB - 1 }).getReader();
    const seen: (number | undefined)[] = [];
    for (let i = 0; i < 5; i++) seen.push((await bytes.read()).value?.[0]);
    expect(seen).toEqual([0, 1, 2, 3, undefined]);
  });

  it.each<[string, unknown]>([
    ["is short and not the last", { chunk: "YWJj", eof: false }],
    ["is empty and not the last", { chunk: "", eof: false }],
    ["is too long", { chunk: Buffer.alloc(MIB + 1).toString("base64"), eof: false }],
    ["is too long and the last", { chunk: Buffer.alloc(MIB + 1).toString("base64"), eof: true }],
    ["is no base64", { chunk: "not base64!", eof: true }],
    ["has base64 without its padding", { chunk: "YQ", eof: true }],
    ["has base64 of the URL alphabet", { chunk: "_-_-", eof: true }],
    ["has no data", { eof: true }],
    ["does not say whether it is the last", { chunk: "YWJj" }],
    ["is null", null],
  ])("rejects alone when a block %s", async (_, answer) => {
    await using scripted = await scriptedFiles((connection, block) => connection.answer(block, answer));
    const { sessionId } = scripted.client;
    for (const act of [
      () => scripted.client.fs.createReadStream("/f").getReader().read(),
      () =>
        scripted.client.fs
          .createReadStream("/f", { end: 9 * MIB })
          .getReader()
          .read(),
    ]) {
      expect(await failureOf(act())).toMatchObject({ code: "ERR_PROTOCOL", delivery: "answered", sessionId });
    }
    await scripted.connection.request("fs/close", 2);
    expect(await scripted.client.status()).toEqual({ status: "ready" });
  });

  it("ends with the last block, although requests behind it are rejected", async () => {
    await using scripted = await scriptedFiles((connection, block) => {
      const isFirst = block.params["offset"] === 0;
      if (isFirst) connection.answer(block, { chunk: "YWJj", eof: true });
      else connection.refuse(block, -32004, "the handle is gone");
    });
    expect(await new Response(scripted.client.fs.createReadStream("/f")).text()).toBe("abc");
  });
});

describe("readFile()", () => {
  it.each([
    ["no base64", { dataBase64: "a" }],
    ["base64 of the URL alphabet", { dataBase64: "_-_-" }],
    ["nothing", {}],
  ])("rejects alone when the server sends %s", async (_, answer) => {
    await using scripted = await scriptedFiles((connection, request) => {
      const metadata = { isFile: true, isDirectory: false, isSymlink: false, size: 3 };
      connection.answer(request, request.method === "fs/getMetadata" ? metadata : answer);
    });
    const { sessionId } = scripted.client;
    expect(await failureOf(scripted.client.fs.readFile("/f"))).toMatchObject({
      code: "ERR_PROTOCOL",
      delivery: "answered",
      sessionId,
    });
    expect(await scripted.client.status()).toEqual({ status: "ready" });
  });

  it("reads a file that says size 0 in blocks, however large it is, without a total before the end", async () => {
    await using scripted = await scriptedFiles((connection, request) => {
      const offset = Number(request.params["offset"]);
      if (request.method === "fs/getMetadata") {
        connection.answer(request, { isFile: true, isDirectory: false, isSymlink: false, size: 0 });
      } else connection.answer(request, { chunk: offset < 9 * MIB ? BLOCK : "YWJj", eof: offset >= 9 * MIB });
    });
    const totals: (number | undefined)[] = [];
    const onProgress = ({ total }: { total?: number }) => void totals.push(total);
    expect(await scripted.fs.readFile("/proc/x", { onProgress })).toHaveLength(9 * MIB + 3);
    expect(totals).toEqual([...Array(10).fill(undefined), 9 * MIB + 3]);
    expect(await scripted.count("fs/readFile")).toBe(0);
    expect(await scripted.count("fs/close")).toBe(1);
  });

  it.each([5 * MIB, MIB + 1])(
    "reads a file whose size has changed since the server reported it: %i",
    async (size) => {
      await using scripted = await scriptedFiles((connection, request) => {
        const isLast = request.params["offset"] === 2 * MIB;
        if (request.method === "fs/readBlock") {
          connection.answer(request, isLast ? { chunk: "YWJj", eof: true } : { chunk: BLOCK, eof: false });
        } else connection.answer(request, { isFile: true, isDirectory: false, isSymlink: false, size });
      });
      const bytes = await scripted.client.fs.readFile("/f");
      expect(bytes).toHaveLength(2 * MIB + 3);
      expect([bytes[0], bytes[2 * MIB - 1], bytes[2 * MIB], bytes.at(-1)]).toEqual([0x78, 0x78, 0x61, 0x63]);
    },
  );
});
