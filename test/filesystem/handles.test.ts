import { setMaxListeners } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OWN_ERRORS } from "../support/errors.ts";
import { failureOf } from "../support/failure.ts";
import { realFiles } from "../support/remote-files.ts";
import { scriptedFiles } from "../support/scripted-files.ts";

let real: Awaited<ReturnType<typeof realFiles>>;
beforeAll(async () => {
  real = await realFiles();
  await real.sh("printf 123456789 > digits; head -c 1100000 /dev/zero > zeros");
});
afterAll(() => real[Symbol.asyncDispose]());

async function text(name: string): Promise<string> {
  return await new Response(real.fs.createReadStream(real.path(name))).text();
}

function open(handleId: string): Promise<unknown> {
  const path = `file://${real.path("digits")}`;
  return real.client.call("fs/open", { handleId, path, mode: "read", sandbox: null });
}

/** Opens and closes as many handles as the server allows, which shows that no other is open. */
async function expectNoOpenHandles(): Promise<void> {
  // The server has handled every earlier close once it responds to this.
  await real.client.status();
  const ids = Array.from({ length: 128 }, (_, i) => `handle-${i}`);
  await Promise.all(ids.map((id) => open(id)));
  await Promise.all(ids.map((handleId) => real.client.call("fs/close", { handleId })));
}

describe("no handle stays open", () => {
  it("after 200 streams in sequence", async () => {
    for (let i = 0; i < 200; i++) expect(await text("digits")).toBe("123456789");
    await expectNoOpenHandles();
  });

  it("after 300 streams that are cancelled while they open or after a read", async () => {
    for (let i = 0; i < 300; i++) {
      const reader = real.fs.createReadStream(real.path("zeros")).getReader();
      const reading = reader.read();
      // Every second stream is still opening its file.
      await (i % 2 === 0 ? reading : new Promise(setImmediate));
      await reader.cancel();
    }
    expect(await text("digits")).toBe("123456789");
    await expectNoOpenHandles();
  });

  it("after 200 streams whose file can't be opened", async () => {
    for (let i = 0; i < 200; i++) expect(await failureOf(text("none"))).toMatchObject({ kind: "not-found" });
    await expectNoOpenHandles();
  });

  it("after 200 streams that are aborted while they wait for a handle", async () => {
    const readers = await Promise.all(
      Array.from({ length: 128 }, async () => {
        const reader = real.fs.createReadStream(real.path("zeros")).getReader();
        await reader.read();
        return reader;
      }),
    );
    const controller = new AbortController();
    const { signal } = controller;
    setMaxListeners(0, signal);
    const waiting = Array.from({ length: 200 }, () =>
      failureOf(real.fs.createReadStream(real.path("digits"), { signal }).getReader().read()),
    );
    await real.client.status();
    const reason = new Error("aborted");
    controller.abort(reason);
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([reason]));
    await Promise.all(readers.map((reader) => reader.cancel()));
    expect(await text("digits")).toBe("123456789");
    await expectNoOpenHandles();
  });
});

it("200 streams at once wait for the server's 128 handles instead of rejecting", async () => {
  const texts = await Promise.all(Array.from({ length: 200 }, () => text("digits")));
  expect(new Set(texts)).toEqual(new Set(["123456789"]));
});

it("writes and then reads 140 large files at once", async () => {
  const names = Array.from({ length: 140 }, (_, i) => i);
  const bytes = new Uint8Array(1024 * 1024 + 1);
  const { fs } = real;
  await Promise.all(names.map((i) => fs.writeFile(real.path(`w${i}`), bytes)));
  const read = await Promise.all(names.map((i) => fs.readFile(real.path(`w${i}`))));
  expect(new Set(read.map(({ length }) => length))).toEqual(new Set([bytes.length]));
});

describe("a file is not opened, and so not emptied,", () => {
  /** Starts a write that opens its file first. Resolves with its error. */
  function write({ fs }: Awaited<ReturnType<typeof scriptedFiles>>, signal: AbortSignal): Promise<unknown> {
    const writer = fs.createWriteStream("/precious", { signal }).getWriter();
    writer.closed.catch(() => {});
    return failureOf(writer.write(new Uint8Array(1)));
  }

  it("by a write that is aborted before it sends fs/open, in whichever microtask", async () => {
    await using scripted = await scriptedFiles(() => {});
    let isSent = false;
    for (let turns = 0; !isSent; turns++) {
      const controller = new AbortController();
      const ended = write(scripted, controller.signal);
      for (let turn = 0; turn < turns; turn++) await undefined;
      const { rpc } = await scripted.client.openSession();
      isSent = [...rpc.unanswered.values()].some(({ method }) => method === "fs/open");
      controller.abort("aborted");
      expect(await ended).toBe("aborted");
      expect(await scripted.count("fs/open")).toBe(isSent ? 1 : 0);
    }
  });

  it("by a write that is aborted while fs/open is queued behind other requests", async () => {
    await using scripted = await scriptedFiles(() => {});
    const release = scripted.server.hold("environment/status");
    const others = Array.from({ length: 128 }, () => scripted.client.status());
    const controller = new AbortController();
    const ended = write(scripted, controller.signal);
    await new Promise(setImmediate);
    const reason = OWN_ERRORS.ProtocolError;
    controller.abort(reason);
    expect(await ended).toBe(reason);
    release();
    await Promise.all(others);
    expect([await scripted.count("fs/open"), await scripted.count("fs/close")]).toEqual([0, 0]);
  });
});

describe("a file that the server opened with a response of the wrong shape", () => {
  it("is closed and frees its handle", async () => {
    await using scripted = await scriptedFiles(() => {});
    scripted.server.handle("fs/open", () => null as never);
    for (let i = 0; i < 200; i++) {
      const reading = scripted.fs.createReadStream("/p").getReader().read();
      expect(await failureOf(reading)).toMatchObject({ code: "ERR_PROTOCOL" });
    }
    await scripted.count("fs/close");
    const handlesOf = (method: "fs/open" | "fs/close") =>
      scripted.server.requests(method).map(({ params }) => params.handleId);
    expect(handlesOf("fs/close")).toEqual(handlesOf("fs/open"));
  });

  it("is closed when the response arrives after the abort", async () => {
    await using scripted = await scriptedFiles(() => {});
    scripted.server.handle("fs/open", () => null as never);
    const release = scripted.server.hold("fs/open");
    const controller = new AbortController();
    const { signal } = controller;
    const reading = failureOf(scripted.fs.createReadStream("/p", { signal }).getReader().read());
    const { params } = await scripted.connection.request("fs/open");
    controller.abort("aborted");
    expect(await reading).toBe("aborted");
    release();
    expect((await scripted.connection.request("fs/close")).params).toEqual({
      handleId: (params as { handleId: string }).handleId,
    });
  });
});

describe("the server's rules for handles", () => {
  it("allow 128 handles and ids of at most 32 bytes", async () => {
    await Promise.all(Array.from({ length: 128 }, (_, i) => open(`h${i}`)));
    expect(await failureOf(open("one-more"))).toMatchObject({
      rpcCode: -32600,
      message: expect.stringContaining("at most 128"),
    });
    await real.client.call("fs/close", { handleId: "h0" });
    await open("one-more");
    await real.client.call("fs/close", { handleId: "one-more" });
    expect(await failureOf(open("x".repeat(33)))).toMatchObject({ rpcCode: -32600 });
    for (let i = 1; i < 128; i++) await real.client.call("fs/close", { handleId: `h${i}` });
    await expectNoOpenHandles();
  });

  it("allow blocks at any offset, of 1 byte to 1 MiB", async () => {
    await open("digits");
    const block = async (offset: number, len: number) => {
      const { chunk, eof } = await real.client.call("fs/readBlock", { handleId: "digits", offset, len });
      return [Buffer.from(chunk, "base64").toString(), eof];
    };
    expect(await block(5, 3)).toEqual(["678", false]);
    expect(await block(0, 2)).toEqual(["12", false]);
    expect(await block(7, 10)).toEqual(["89", true]);
    expect(await failureOf(block(0, 0))).toMatchObject({ code: "ERR_SERVER" });
    expect(await failureOf(block(0, 1024 * 1024 + 1))).toMatchObject({ code: "ERR_SERVER" });
    await real.client.call("fs/close", { handleId: "digits" });
  });
});
