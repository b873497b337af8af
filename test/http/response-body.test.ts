import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deferred } from "../../src/internal/deferred.ts";
import { failureOf } from "../support/failure.ts";
import type { Origin } from "../support/origin.ts";
import { readBody } from "../support/read-body.ts";
import { realHttp } from "../support/real-http.ts";
import { webkitStreams } from "../support/webkit-streams.ts";

let real: Awaited<ReturnType<typeof realHttp>>;
let origin: Origin;
beforeAll(async () => {
  real = await realHttp({ args: ["--concurrent-requests", "8"] });
  origin = real.origin;
});
afterAll(() => real[Symbol.asyncDispose]());

/** Resolves with the origin's response object of the next request. */
function nextExchange(): Promise<ServerResponse> {
  const arrived = deferred<ServerResponse>();
  origin.answer = (response) => arrived.resolve(response);
  return arrived.promise;
}

const textOf = ({ value }: { value?: Uint8Array | undefined }) => new TextDecoder().decode(value);

describe("the body of a response from a real origin", () => {
  it("can be read while the origin is still writing", async () => {
    const exchange = nextExchange();
    const fetching = real.client.fetch(origin.url);
    const sending = await exchange;
    sending.write("first");
    const reader = (await fetching).body?.getReader();
    expect(textOf((await reader?.read()) ?? {})).toBe("first");
    sending.end("last");
    expect(textOf((await reader?.read()) ?? {})).toBe("last");
    expect(await reader?.read()).toEqual({ done: true, value: undefined });
  });

  it("of 32 MiB arrives complete and in order", async () => {
    const bytes = Buffer.alloc(32 * 1024 * 1024);
    for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32LE(at, at);
    origin.answer = (response) => response.end(bytes);
    const hash = createHash("sha256");
    for await (const chunk of (await real.client.fetch(origin.url)).body ?? []) hash.update(chunk);
    expect(hash.digest("hex")).toBe(createHash("sha256").update(bytes).digest("hex"));
  });

  it("that the origin truncates is delivered up to that point, and then fails", async () => {
    const exchange = nextExchange();
    const fetching = real.client.fetch(origin.url);
    const sending = await exchange;
    sending.writeHead(200, { "content-length": 100 }).write("part");
    const response = await fetching;
    sending.socket?.destroy();
    expect(await readBody(response)).toEqual({
      pieces: ["part"],
      error: expect.objectContaining({ code: "ERR_SERVER", delivery: "answered" }),
    });
    expect(await real.client.status()).toEqual({ status: "ready" });
  });

  it("can be iterated, also that of a clone, in a browser whose streams have no iterator", async () => {
    origin.answer = (response) => response.end("text");
    const restore = webkitStreams();
    try {
      const response = await real.client.fetch(origin.url);
      expect(response.body).toBe(response.body);
      const clone = response.clone();
      for (const { body } of [response, clone, await real.client.fetch(origin.url)]) {
        let text = "";
        for await (const chunk of body ?? []) text += Buffer.from(chunk);
        expect(text).toBe("text");
      }
    } finally {
      restore();
    }
  });

  it("can be piped", async () => {
    origin.answer = (response) => response.end("text");
    const get = async () => (await real.client.fetch(origin.url)).body;
    const chunks: Uint8Array[] = [];
    await (await get())?.pipeTo(new WritableStream({ write: (chunk) => void chunks.push(chunk) }));
    expect(Buffer.concat(chunks).toString()).toBe("text");
    const decoded = (await get())?.pipeThrough(new TextDecoderStream()).getReader();
    expect(await decoded?.read()).toEqual({ done: false, value: "text" });
  });
});

describe("timeoutMs", () => {
  it("applies to the wait for the headers, and the server aborts its request too", async () => {
    const exchange = nextExchange();
    const failing = failureOf(real.client.fetch(origin.url, { timeoutMs: 100.5 }));
    const left = new Promise((resolve) => void exchange.then((sending) => sending.once("close", resolve)));
    expect(await failing).toMatchObject({
      code: "ERR_TIMEOUT",
      delivery: "unknown",
      sessionId: real.client.sessionId,
    });
    await left;
  });

  it("applies to the body too", async () => {
    const exchange = nextExchange();
    const fetching = real.client.fetch(origin.url, { timeoutMs: 300 });
    (await exchange).write("first");
    const response = await fetching;
    expect(await readBody(response)).toEqual({
      pieces: ["first"],
      error: expect.objectContaining({ code: "ERR_TIMEOUT", delivery: "answered" }),
    });
  });

  it("is no limit by default, if infinite, or beyond the range of timers", async () => {
    origin.answer = (response) => response.end("in time");
    expect(await (await real.client.fetch(origin.url, { timeoutMs: Infinity })).text()).toBe("in time");
    expect(await (await real.client.fetch(origin.url, { timeoutMs: 2 ** 32 })).text()).toBe("in time");
  });

  it("leaves no timer after the body has arrived, read or not", async () => {
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    origin.answer = (response) => response.end("unread");
    const before = timers();
    const response = await real.client.fetch(origin.url, { timeoutMs: 60_000 });
    while (timers() > before) await real.client.status();
    expect(await response.text()).toBe("unread");
  });
});
