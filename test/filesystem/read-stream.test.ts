import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { failureOf } from "../support/failure.ts";
import { relayedFiles } from "../support/remote-files.ts";

const MIB = 1024 * 1024;

let relayed: Awaited<ReturnType<typeof relayedFiles>>;
beforeAll(async () => {
  relayed = await relayedFiles();
  await relayed.sh("printf 0123456789 > digits; touch empty; head -c 20000000 /dev/urandom > large");
});
afterAll(() => relayed[Symbol.asyncDispose]());

async function read(name: string, options?: { start?: number; end?: number }): Promise<string> {
  return await new Response(relayed.fs.createReadStream(relayed.path(name), options)).text();
}

/** Checks that every handle that the work opens is closed exactly once. */
async function expectClosed<T>(work: () => Promise<T>): Promise<T> {
  const { relay, client } = relayed;
  const before = relay.received.length;
  const ids = (method: string) =>
    relay.received
      .slice(before)
      .filter((sent) => sent.method === method)
      .map(({ params }) => String(params?.["handleId"]));
  const result = await work();
  expect(ids("fs/open")).not.toEqual([]);
  await relay.until(() => ids("fs/close").length >= ids("fs/open").length);
  await client.status();
  expect(ids("fs/close").sort()).toEqual(ids("fs/open").sort());
  return result;
}

describe("createReadStream()", () => {
  it.each([
    [{}, "0123456789"],
    [{ start: 6 }, "6789"],
    [{ end: 2 }, "012"],
    [{ start: 6, end: 8 }, "678"],
    [{ start: 3, end: 3 }, "3"],
    [{ start: 8, end: 17 }, "89"],
    [{ start: 10 }, ""],
    [{ start: 1000, end: 2000 }, ""],
    [{ end: Number.POSITIVE_INFINITY }, "0123456789"],
    [{ end: Number.MAX_SAFE_INTEGER }, "0123456789"],
  ])("with %o yields %j, both ends included", async (options, text) => {
    expect(await expectClosed(() => read("digits", options))).toBe(text);
  });

  it("yields nothing for an empty file", async () => {
    expect(await expectClosed(() => read("empty"))).toBe("");
  });

  it("yields a file of exactly two blocks in two pieces", async () => {
    await relayed.fs.writeFile(relayed.path("two"), new Uint8Array(2 * MIB).fill(7));
    const pieces: number[] = [];
    await expectClosed(async () => {
      for await (const piece of relayed.fs.createReadStream(relayed.path("two"))) pieces.push(piece.length);
    });
    expect(pieces).toEqual([MIB, MIB]);
  });

  it("yields a large range byte for byte", async () => {
    const [start, end] = [MIB - 5, 17 * MIB + 3];
    const hash = createHash("sha256");
    for await (const piece of relayed.fs.createReadStream(relayed.path("large"), { start, end })) {
      hash.update(piece);
    }
    const whole = readFileSync(relayed.path("large"));
    expect(hash.digest("hex")).toBe(
      createHash("sha256")
        .update(whole.subarray(start, end + 1))
        .digest("hex"),
    );
  });

  it("yields the old content after the file is replaced", async () => {
    await relayed.sh("yes old | head -c 8000000 > replaced");
    const reader = relayed.fs.createReadStream(relayed.path("replaced")).getReader();
    let text = Buffer.from((await reader.read()).value ?? []).toString();
    await relayed.sh("echo new > fresh; mv fresh replaced");
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      text += Buffer.from(next.value).toString();
    }
    expect(text).toBe("old\n".repeat(2_000_000));
    expect(await read("replaced")).toBe("new\n");
  });

  it("opens nothing before the first read", async () => {
    const before = relayed.relay.count("fs/open");
    const stream = relayed.fs.createReadStream(relayed.path("none"));
    await relayed.client.status();
    expect(relayed.relay.count("fs/open")).toBe(before);
    expect(await failureOf(stream.getReader().read())).toMatchObject({ kind: "not-found" });
  });

  it("opens nothing when it is cancelled or aborted before the first read", async () => {
    const before = relayed.relay.received.length;
    await relayed.fs.createReadStream(relayed.path("large")).cancel();
    const reader = relayed.fs
      .createReadStream(relayed.path("large"), { signal: AbortSignal.abort("no") })
      .getReader();
    expect(await reader.read().catch((reason: unknown) => reason)).toBe("no");
    await relayed.client.status();
    expect(relayed.relay.received.slice(before).map(({ method }) => method)).toEqual(["environment/status"]);
  });
});

describe("the handle of a read stream is closed", () => {
  it("when its reader stops early", async () => {
    await expectClosed(async () => {
      for await (const piece of relayed.fs.createReadStream(relayed.path("large"))) {
        expect(piece).toHaveLength(MIB);
        break;
      }
    });
  });

  it("when it is cancelled while it opens", async () => {
    await expectClosed(async () => {
      const stream = relayed.fs.createReadStream(relayed.path("large"));
      const reader = stream.getReader();
      const reading = reader.read();
      await relayed.relay.request("fs/open", relayed.relay.count("fs/open") + 1);
      await reader.cancel();
      expect(await reading).toEqual({ done: true, value: undefined });
    });
  });

  it("when its signal aborts while it opens, which rejects the read with the reason", async () => {
    await expectClosed(async () => {
      const controller = new AbortController();
      const { signal } = controller;
      const reading = relayed.fs.createReadStream(relayed.path("large"), { signal }).getReader().read();
      await relayed.relay.request("fs/open", relayed.relay.count("fs/open") + 1);
      const reason = new Error("aborted");
      controller.abort(reason);
      expect(await failureOf(reading)).toBe(reason);
    });
  });

  it("when its signal aborts between two reads", async () => {
    await expectClosed(async () => {
      const controller = new AbortController();
      const { signal } = controller;
      const reader = relayed.fs.createReadStream(relayed.path("large"), { signal }).getReader();
      await reader.read();
      const reason = new Error("aborted");
      controller.abort(reason);
      expect(await failureOf(reader.read())).toBe(reason);
      expect(await failureOf(reader.closed)).toBe(reason);
    });
  });

  it("when a read fails", async () => {
    relayed.relay.intercept = ({ method, params }) =>
      method === "fs/readBlock" && params?.["offset"] === MIB
        ? { error: { code: -32603, message: "Input/output error (os error 5)" } }
        : undefined;
    await expectClosed(async () => {
      const reader = relayed.fs.createReadStream(relayed.path("large")).getReader();
      expect((await reader.read()).value).toHaveLength(MIB);
      expect(await failureOf(reader.read())).toMatchObject({ code: "ERR_SERVER" });
    });
    relayed.relay.intercept = () => undefined;
  });

  it("once, also when its signal aborts after the end", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const text = () => new Response(relayed.fs.createReadStream(relayed.path("digits"), { signal })).text();
    expect(await expectClosed(text)).toBe("0123456789");
    const before = relayed.relay.received.length;
    controller.abort();
    await relayed.client.status();
    expect(relayed.relay.received.slice(before).map(({ method }) => method)).toEqual(["environment/status"]);
  });
});
