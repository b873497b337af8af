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

/** Takes every place the server has, which shows that nothing else holds one, and gives them back. */
async function expectAllPlacesFree(): Promise<void> {
  // What was closed before this is closed when it is answered.
  await real.client.status();
  const ids = Array.from({ length: 128 }, (_, i) => `place-${i}`);
  await Promise.all(ids.map((id) => open(id)));
  await Promise.all(ids.map((handleId) => real.client.call("fs/close", { handleId })));
}

describe("no handle is left behind", () => {
  it("by 200 streams in sequence", async () => {
    for (let i = 0; i < 200; i++) expect(await text("digits")).toBe("123456789");
    await expectAllPlacesFree();
  });

  it("by 300 streams that are cancelled, at once and after a read", async () => {
    for (let i = 0; i < 300; i++) {
      const reader = real.fs.createReadStream(real.path("zeros")).getReader();
      const reading = reader.read();
      // The second time round the file is still being opened.
      await (i % 2 === 0 ? reading : new Promise(setImmediate));
      await reader.cancel();
    }
    expect(await text("digits")).toBe("123456789");
    await expectAllPlacesFree();
  });

  it("by 200 streams that fail to open", async () => {
    for (let i = 0; i < 200; i++) expect(await failureOf(text("none"))).toMatchObject({ kind: "not-found" });
    await expectAllPlacesFree();
  });

  it("by 200 waits for a place that are given up", async () => {
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
    const reason = new Error("enough");
    controller.abort(reason);
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([reason]));
    await Promise.all(readers.map((reader) => reader.cancel()));
    expect(await text("digits")).toBe("123456789");
    await expectAllPlacesFree();
  });
});

it("200 streams at once wait for the server's 128 places instead of failing", async () => {
  const texts = await Promise.all(Array.from({ length: 200 }, () => text("digits")));
  expect(new Set(texts)).toEqual(new Set(["123456789"]));
});

it("140 large files are written and then read at once", async () => {
  const names = Array.from({ length: 140 }, (_, i) => i);
  const bytes = new Uint8Array(1024 * 1024 + 1);
  const { fs } = real;
  await Promise.all(names.map((i) => fs.writeFile(real.path(`w${i}`), bytes)));
  const read = await Promise.all(names.map((i) => fs.readFile(real.path(`w${i}`))));
  expect(new Set(read.map(({ length }) => length))).toEqual(new Set([bytes.length]));
});

describe("a file is not opened, and so not emptied,", () => {
  /** A write to a file that has not been opened yet, and how it ends. */
  function write({ fs }: Awaited<ReturnType<typeof scriptedFiles>>, signal: AbortSignal): Promise<unknown> {
    const writer = fs.createWriteStream("/precious", { signal }).getWriter();
    writer.closed.catch(() => {});
    return failureOf(writer.write(new Uint8Array(1)));
  }

  it("by a write that is aborted before that was asked for, in whichever turn", async () => {
    await using it = await scriptedFiles(() => {});
    let isSent = false;
    for (let turns = 0; !isSent; turns++) {
      const controller = new AbortController();
      const ended = write(it, controller.signal);
      for (let turn = 0; turn < turns; turn++) await undefined;
      const { rpc } = await it.client.openSession();
      isSent = [...rpc.unanswered.values()].some(({ method }) => method === "fs/open");
      controller.abort("enough");
      expect(await ended).toBe("enough");
      expect(await it.count("fs/open")).toBe(isSent ? 1 : 0);
    }
  });

  it("by a write that is aborted while that waits its turn behind other requests", async () => {
    await using it = await scriptedFiles(() => {});
    const release = it.server.hold("environment/status");
    const others = Array.from({ length: 128 }, () => it.client.status());
    const controller = new AbortController();
    const ended = write(it, controller.signal);
    await new Promise(setImmediate);
    const reason = OWN_ERRORS.ProtocolError;
    controller.abort(reason);
    expect(await ended).toBe(reason);
    release();
    await Promise.all(others);
    expect([await it.count("fs/open"), await it.count("fs/close")]).toEqual([0, 0]);
  });
});

describe("a file that the server opened with an answer nobody understands", () => {
  it("is closed, and gives its place back", async () => {
    await using it = await scriptedFiles(() => {});
    it.server.handle("fs/open", () => null as never);
    for (let i = 0; i < 200; i++) {
      const reading = it.fs.createReadStream("/p").getReader().read();
      expect(await failureOf(reading)).toMatchObject({ code: "ERR_PROTOCOL" });
    }
    await it.count("fs/close");
    const handlesOf = (method: "fs/open" | "fs/close") =>
      it.server.requests(method).map(({ params }) => params.handleId);
    expect(handlesOf("fs/close")).toEqual(handlesOf("fs/open"));
  });

  it("is closed when the answer comes after the abort, too", async () => {
    await using it = await scriptedFiles(() => {});
    it.server.handle("fs/open", () => null as never);
    const release = it.server.hold("fs/open");
    const controller = new AbortController();
    const { signal } = controller;
    const reading = failureOf(it.fs.createReadStream("/p", { signal }).getReader().read());
    const { params } = await it.connection.request("fs/open");
    controller.abort("enough");
    expect(await reading).toBe("enough");
    release();
    expect((await it.connection.request("fs/close")).params).toEqual({
      handleId: (params as { handleId: string }).handleId,
    });
  });
});

describe("the server's rules for handles, which all this relies on", () => {
  it("are 128 places and names of at most 32 bytes", async () => {
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
    await expectAllPlacesFree();
  });

  it("are blocks at any offset, of 1 byte to 1 MiB", async () => {
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
