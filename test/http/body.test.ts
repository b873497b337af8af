import { describe, expect, it } from "vitest";
import { silence } from "../../src/testing.ts";
import { failureOf } from "../support/failure.ts";
import { readBody } from "../support/read-body.ts";
import { OK, scriptedFetch } from "../support/scripted-fetch.ts";
import { QuietServer } from "../support/scripted-server.ts";

const error = (code: string) => expect.objectContaining({ code });

describe("the pieces of a body", () => {
  it("are delivered in order, then the end, and again the end", async () => {
    await using it = await scriptedFetch();
    const response = await it.client.fetch(it.url);
    for (const [at, text] of ["one", "two", "three"].entries()) it.delta(at + 1, text);
    it.delta(4, "", { done: true });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const texts = [];
    for (let next = await reader.read(); !next.done; next = await reader.read())
      texts.push(new TextDecoder().decode(next.value));
    expect(texts).toEqual(["one", "two", "three"]);
    expect(await reader.read()).toEqual({ done: true, value: undefined });
  });

  it("are not lost when they overtake the response", async () => {
    const server = new QuietServer();
    server.handle("http/request", ({ params: { requestId } }, connection) => {
      const notify = (seq: number, deltaBase64: string, done = false) =>
        connection.notify("http/request/bodyDelta", { requestId, seq, deltaBase64, done });
      notify(1, "YQ==");
      notify(2, "Yg==", true);
      return OK;
    });
    await using it = await scriptedFetch(server);
    expect(await (await it.client.fetch(it.url)).text()).toBe("ab");
  });

  it("may come with the end, and may be empty without being one", async () => {
    await using it = await scriptedFetch();
    const response = await it.client.fetch(it.url);
    it.delta(1, "a");
    it.delta(2, "", { done: false, error: null });
    it.delta(3, "b", { done: null });
    it.delta(4, "c", { done: true });
    expect(await readBody(response)).toEqual({ pieces: ["a", "b", "c"], error: undefined });
  });

  it.each([
    ["a gap", [1, 3]],
    ["one twice", [1, 1]],
    ["no first one", [0]],
    ["a late start", [2]],
  ])("fail the body with a ProtocolError after what had come on %s", async (_, seqs) => {
    await using it = await scriptedFetch();
    const response = await it.client.fetch(it.url);
    for (const seq of seqs) it.delta(seq, "x", { done: seq === 3 });
    const pieces = seqs.length > 1 ? ["x"] : [];
    expect(await readBody(response)).toEqual({ pieces, error: error("ERR_PROTOCOL") });
    await it.seen();
  });

  it("that carry an error are not delivered themselves; the error holds no query", async () => {
    await using it = await scriptedFetch();
    const response = await it.client.fetch(it.url);
    it.delta(1, "kept");
    it.delta(2, "lost", { done: true, error: "error reading http://a.test/b?token=hunter2" });
    const { pieces, error: failure } = await readBody(response);
    expect(pieces).toEqual(["kept"]);
    expect(failure).toMatchObject({
      code: "ERR_SERVER",
      rpcCode: -32603,
      delivery: "answered",
      sessionId: it.client.sessionId,
    });
    expect(String(failure)).not.toContain("hunter2");
  });

  it.each<[string, object]>([
    ["are not base64", { deltaBase64: "a?==" }],
    ["are missing", { deltaBase64: undefined }],
    ["have no number", { seq: undefined }],
    ["have half a number", { seq: 1.5 }],
    ["end with something else than a boolean", { done: "yes" }],
    ["carry an error that is no text", { error: 5 }],
  ])("fail only their own body when they %s", async (_, wrong) => {
    await using it = await scriptedFetch();
    const [broken, whole] = [await it.client.fetch(it.url), await it.client.fetch(it.url)];
    it.delta(1, "kept");
    it.delta(2, "x", wrong);
    it.delta(1, "fine", { done: true }, "http-2");
    expect(await readBody(broken)).toEqual({ pieces: ["kept"], error: error("ERR_PROTOCOL") });
    expect(await whole.text()).toBe("fine");
  });

  it("that name no request end the connection, since nobody knows whose they were", async () => {
    await using it = await scriptedFetch();
    const response = await it.client.fetch(it.url);
    it.delta(1, "kept");
    it.delta(2, "x", { requestId: undefined });
    expect(await readBody(response)).toEqual({ pieces: ["kept"], error: error("ERR_DISCONNECTED") });
    expect(await it.client.disconnected).toMatchObject({ cause: { code: "ERR_PROTOCOL" } });
  });

  it("of unknown requests are nobody's", async () => {
    await using it = await scriptedFetch();
    it.delta(1, "x", {}, "http-1");
    it.delta(7, "x", {}, "toString");
    await it.seen();
    const response = await it.client.fetch(it.url);
    it.delta(1, "mine", { done: true });
    expect(await response.text()).toBe("mine");
  });
});

describe("a body that nobody reads", () => {
  it("is kept up to exactly its budget, and then fails alone", async () => {
    await using it = await scriptedFetch();
    const response = await it.client.fetch(it.url, { maxBufferedBytes: 10 });
    for (const [at, text] of ["1234", "5678", "9abc", "def"].entries()) it.delta(at + 1, text);
    it.delta(5, "", { done: true });
    await it.seen();
    expect(await readBody(response)).toEqual({
      pieces: ["1234", "5678", "9a"],
      error: error("ERR_OVERFLOW"),
    });
  });

  it("is whole if it just fits", async () => {
    await using it = await scriptedFetch();
    const response = await it.client.fetch(it.url, { maxBufferedBytes: 3 });
    it.delta(1, "abc", { done: true });
    await it.seen();
    expect(await response.text()).toBe("abc");
  });

  it("disturbs neither calls nor other bodies, in however many pieces it comes", async () => {
    await using it = await scriptedFetch();
    const unread = await it.client.fetch(it.url);
    for (let seq = 1; seq <= 2_000; seq++) it.delta(seq, "x");
    const other = await it.client.fetch(it.url);
    it.delta(1, "fine", { done: true }, "http-2");
    expect(await other.text()).toBe("fine");
    it.delta(2_001, "", { done: true });
    expect(await unread.text()).toBe("x".repeat(2_000));
  });
});

describe("when the connection ends", () => {
  it.each<[string, number, number, boolean]>([
    ["before any piece: the disconnect", 0, 0, false],
    ["while pieces wait: these first", 3, 0, false],
    ["after pieces were read: the disconnect, no gap", 2, 2, false],
    ["after the last piece had come: the whole body", 3, 1, true],
  ])("a reader gets %s", async (_, sent, read, done) => {
    await using it = await scriptedFetch();
    const response = await it.client.fetch(it.url);
    const reader = response.body?.getReader();
    for (let seq = 1; seq <= sent; seq++) it.delta(seq, `${seq}`, { done: done && seq === sent });
    for (let seq = 1; seq <= read; seq++) expect((await reader?.read())?.done).toBe(false);
    await it.seen();
    it.connection.drop();
    await it.client.disconnected;
    reader?.releaseLock();
    const pieces = Array.from({ length: sent - read }, (_, at) => `${read + at + 1}`);
    expect(await readBody(response)).toEqual({ pieces, error: done ? undefined : error("ERR_DISCONNECTED") });
  });

  it("a waiting read and a request without an answer fail with the same account of it", async () => {
    const server = new QuietServer();
    server.handle("http/request", ({ params }) => (params.method === "GET" ? OK : silence));
    await using it = await scriptedFetch(server);
    const response = await it.client.fetch(it.url);
    const reading = readBody(response);
    const fetching = failureOf(it.client.fetch(it.url, { method: "POST" }));
    await it.connection.request("http/request", 2);
    it.connection.drop();
    const { message } = await it.client.disconnected;
    expect(await reading).toEqual({ pieces: [], error: expect.objectContaining({ message }) });
    expect(await fetching).toMatchObject({ message, delivery: "unknown" });
    expect(await failureOf(it.client.fetch(it.url))).toMatchObject({ message, delivery: "not-sent" });
  });

  it("by close(), bodies fail with a ClosedError", async () => {
    await using it = await scriptedFetch();
    const response = await it.client.fetch(it.url);
    await it.client.close();
    expect(await readBody(response)).toEqual({ pieces: [], error: error("ERR_CLOSED") });
  });
});
