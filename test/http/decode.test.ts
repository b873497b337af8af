import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { RemoteResponse } from "../../src/index.ts";
import { TestServer } from "../../src/testing.ts";
import { failureOf } from "../support/failure.ts";
import { realHttp } from "../support/real-http.ts";
import { scriptedFetch } from "../support/scripted-fetch.ts";
import { connectedTo } from "../support/scripted-server.ts";

const TEXT = JSON.stringify({ text: "ä".repeat(100_000) });
const encodingOf = ({ rawHeaders }: RemoteResponse) =>
  rawHeaders.find(([name]) => name === "content-encoding")?.[1];

/** A response whose compressed body the test sends. */
async function compressedResponse(encoding = "gzip") {
  const t = await scriptedFetch();
  const head = { status: 200, headers: [{ name: "Content-Encoding", value: encoding }], bodyBase64: "" };
  t.server.handle("http/request", () => head);
  const response = await t.client.fetch(t.url);
  let seq = 0;
  return {
    ...t,
    response,
    send: (bytes: Uint8Array, end: object = {}) =>
      t.delta(++seq, "", { deltaBase64: Buffer.from(bytes).toString("base64"), ...end }),
  };
}

describe("a compressed body", () => {
  it.each([
    ["gzip", gzipSync(TEXT)],
    ["x-gzip", gzipSync(TEXT)],
    ["deflate", deflateSync(TEXT)],
  ])("in %s that a server before 0.171 passes on is decoded", async (encoding, compressed) => {
    await using t = await connectedTo(new TestServer({ version: "0.169.0" }));
    const headers = { "content-encoding": encoding, "content-length": String(compressed.length), "x-a": "1" };
    t.server.onFetch(() => new Response(compressed, { headers }));
    const response = await t.client.fetch("http://origin.test/");
    expect([...response.headers]).toEqual([["x-a", "1"]]);
    expect(response.rawHeaders).toContainEqual(["content-encoding", encoding]);
    expect(response.rawHeaders).toContainEqual(["content-length", String(compressed.length)]);
    const clone = response.clone();
    expect(await response.json()).toEqual(JSON.parse(TEXT));
    expect(await clone.text()).toBe(TEXT);
  });

  it("of the real server is decoded: gzip there, deflate here", async () => {
    await using real = await realHttp();
    real.origin.answer = (to, { url }) => {
      const isGzip = url === "/gzip";
      to.setHeader("content-encoding", isGzip ? "gzip" : "deflate");
      to.end(isGzip ? gzipSync(TEXT) : deflateSync(TEXT));
    };
    for (const [path, raw] of [["/gzip", undefined] as const, ["/deflate", "deflate"] as const]) {
      const response = await real.client.fetch(`${real.origin.url}${path}`);
      expect(await response.text()).toBe(TEXT);
      expect(response.headers.get("content-encoding")).toBeNull();
      expect(encodingOf(response)).toBe(raw);
    }
  });

  it("stays compressed in a format that the runtime does not have", async () => {
    await using t = await compressedResponse("br, gzip");
    t.send(brotliCompressSync("hello"), { done: true });
    expect(t.response.headers.get("content-encoding")).toBe("br, gzip");
    expect(Buffer.from(await t.response.arrayBuffer())).toEqual(brotliCompressSync("hello"));
  });

  it("that is empty is empty", async () => {
    await using t = await compressedResponse();
    t.send(new Uint8Array(), { done: true });
    expect(await t.response.text()).toBe("");
  });

  it("is read while it arrives, also with a BYOB reader", async () => {
    await using t = await compressedResponse();
    const reader = t.response.body?.getReader({ mode: "byob" });
    t.send(gzipSync("hello", { level: 0 }).subarray(0, 20));
    const { value } = (await reader?.read(new Uint8Array(3))) ?? {};
    expect(Buffer.from(value ?? []).toString()).toBe("hel");
    await reader?.cancel();
  });

  it.each([
    ["is corrupt", Buffer.from("not gzip at all")],
    ["ends too early", gzipSync(TEXT).subarray(0, 50)],
  ])("that %s rejects with a TypeError, and ends the exchange", async (_, bytes) => {
    await using t = await compressedResponse();
    t.send(bytes, { done: true });
    expect(await failureOf(t.response.text())).toBeInstanceOf(TypeError);
    await t.client.status();
  });

  it("rejects with the reason of an abort", async () => {
    await using t = await scriptedFetch();
    const headers = [{ name: "content-encoding", value: "gzip" }];
    t.server.handle("http/request", () => ({ status: 200, headers, bodyBase64: "" }));
    const controller = new AbortController();
    const response = await t.client.fetch(t.url, { signal: controller.signal });
    const reading = failureOf(response.text());
    t.delta(1, "", { deltaBase64: gzipSync(TEXT).subarray(0, 50).toString("base64") });
    await t.seen();
    controller.abort("no more");
    expect(await reading).toBe("no more");
  });

  it("rejects with the end of the connection, and keeps nothing pending", async () => {
    await using t = await compressedResponse();
    const reading = failureOf(t.response.text());
    t.send(gzipSync(TEXT).subarray(0, 50));
    await t.seen();
    t.connection.drop();
    expect(await reading).toMatchObject({ code: "ERR_DISCONNECTED" });
  });

  it("that is cancelled discards what still comes", async () => {
    await using t = await compressedResponse();
    t.send(gzipSync(TEXT).subarray(0, 50));
    await t.response.body?.cancel();
    t.send(gzipSync(TEXT).subarray(50), { done: true });
    await t.seen();
  });
});
