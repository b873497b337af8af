import { getEventListeners } from "node:events";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../src/index.ts";
import { silence } from "../../src/testing.ts";
import { failureOf } from "../support/failure.ts";
import { readBody } from "../support/read-body.ts";
import { OK, scriptedFetch } from "../support/scripted-fetch.ts";
import { QuietServer } from "../support/scripted-server.ts";

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;

/** Objects that were collected are reported in a later turn of the event loop. */
async function collectGarbage(): Promise<void> {
  gc();
  await new Promise((resolve) => setImmediate(resolve));
}

const error = (code: string) => expect.objectContaining({ code });

describe("the pieces of a body", () => {
  it("are delivered in order, then the end, and the end again", async () => {
    await using scripted = await scriptedFetch();
    const response = await scripted.client.fetch(scripted.url);
    for (const [at, text] of ["one", "two", "three"].entries()) scripted.delta(at + 1, text);
    scripted.delta(4, "", { done: true });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const texts = [];
    for (let next = await reader.read(); !next.done; next = await reader.read())
      texts.push(new TextDecoder().decode(next.value));
    expect(texts).toEqual(["one", "two", "three"]);
    expect(await reader.read()).toEqual({ done: true, value: undefined });
  });

  it("are delivered if they arrive before the response", async () => {
    const server = new QuietServer();
    server.handle("http/request", ({ params: { requestId } }, connection) => {
      const notify = (seq: number, deltaBase64: string, done = false) =>
        connection.notify("http/request/bodyDelta", { requestId, seq, deltaBase64, done });
      notify(1, "YQ==");
      notify(2, "Yg==", true);
      return OK;
    });
    await using scripted = await scriptedFetch(server);
    expect(await (await scripted.client.fetch(scripted.url)).text()).toBe("ab");
  });

  it("can come with the end, and can be empty without the end", async () => {
    await using scripted = await scriptedFetch();
    const response = await scripted.client.fetch(scripted.url);
    scripted.delta(1, "a");
    scripted.delta(2, "", { done: false, error: null });
    scripted.delta(3, "b", { done: null });
    scripted.delta(4, "c", { done: true });
    expect(await readBody(response)).toEqual({ pieces: ["a", "b", "c"], error: undefined });
  });

  it.each([
    ["a gap", [1, 3]],
    ["a repeated piece", [1, 1]],
    ["number 0", [0]],
    ["a late start", [2]],
  ])("fail the body with a ProtocolError after the arrived pieces, on %s", async (_, seqs) => {
    await using scripted = await scriptedFetch();
    const response = await scripted.client.fetch(scripted.url);
    for (const seq of seqs) scripted.delta(seq, "x", { done: seq === 3 });
    const pieces = seqs.length > 1 ? ["x"] : [];
    expect(await readBody(response)).toEqual({ pieces, error: error("ERR_PROTOCOL") });
    await scripted.seen();
  });

  it("with an error are not delivered, and the error contains no query", async () => {
    await using scripted = await scriptedFetch();
    const response = await scripted.client.fetch(scripted.url);
    scripted.delta(1, "kept");
    scripted.delta(2, "lost", { done: true, error: "error reading http://a.test/b?token=hunter2" });
    const { pieces, error: failure } = await readBody(response);
    expect(pieces).toEqual(["kept"]);
    expect(failure).toMatchObject({
      code: "ERR_SERVER",
      rpcCode: -32603,
      delivery: "answered",
      sessionId: scripted.client.sessionId,
    });
    expect(String(failure)).not.toContain("hunter2");
  });

  it.each<[string, object]>([
    ["are not base64", { deltaBase64: "a?==" }],
    ["are missing", { deltaBase64: undefined }],
    ["have no number", { seq: undefined }],
    ["have a fractional number", { seq: 1.5 }],
    ["have a done that is not a boolean", { done: "yes" }],
    ["have an error that is not a string", { error: 5 }],
  ])("fail only their own body when they %s", async (_, wrong) => {
    await using scripted = await scriptedFetch();
    const [broken, whole] = [
      await scripted.client.fetch(scripted.url),
      await scripted.client.fetch(scripted.url),
    ];
    scripted.delta(1, "kept");
    scripted.delta(2, "x", wrong);
    scripted.delta(1, "fine", { done: true }, "http-2");
    expect(await readBody(broken)).toEqual({ pieces: ["kept"], error: error("ERR_PROTOCOL") });
    expect(await whole.text()).toBe("fine");
  });

  it("without a request id end the connection, because no body can be attributed", async () => {
    await using scripted = await scriptedFetch();
    const response = await scripted.client.fetch(scripted.url);
    scripted.delta(1, "kept");
    scripted.delta(2, "x", { requestId: undefined });
    expect(await readBody(response)).toEqual({ pieces: ["kept"], error: error("ERR_DISCONNECTED") });
    expect(await scripted.client.disconnected).toMatchObject({ cause: { code: "ERR_PROTOCOL" } });
  });

  it("of unknown requests are ignored", async () => {
    await using scripted = await scriptedFetch();
    scripted.delta(1, "x", {}, "http-1");
    scripted.delta(7, "x", {}, "toString");
    await scripted.seen();
    const response = await scripted.client.fetch(scripted.url);
    scripted.delta(1, "mine", { done: true });
    expect(await response.text()).toBe("mine");
  });
});

describe("a body", () => {
  it("can be read by a BYOB reader", async () => {
    await using scripted = await scriptedFetch();
    const response = await scripted.client.fetch(scripted.url);
    scripted.delta(1, "abc");
    scripted.delta(2, "d", { done: true });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader({ mode: "byob" });
    const texts: string[] = [];
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(2));
      if (done) break;
      texts.push(new TextDecoder().decode(value));
    }
    expect(texts).toEqual(["ab", "c", "d"]);
  });

  it("that failed names fetch in its error, unless the error is that of the connection", async () => {
    await using scripted = await scriptedFetch();
    const [late, broken, lost] = [
      await scripted.client.fetch(scripted.url, { timeoutMs: 50 }),
      await scripted.client.fetch(scripted.url),
      await scripted.client.fetch(scripted.url),
    ];
    scripted.delta(2, "x", {}, "http-2");
    for (const [response, code] of [
      [late, "ERR_TIMEOUT"],
      [broken, "ERR_PROTOCOL"],
    ] as const) {
      expect(await failureOf(response.text())).toMatchObject({
        code,
        operation: "fetch",
        message: expect.stringMatching(/^fetch: /),
      });
    }
    scripted.connection.drop();
    const failure = await scripted.client.disconnected;
    expect(await failureOf(lost.text())).toBe(failure);
    expect(failure.operation).toBeUndefined();
  });

  it("whose signal aborts with an error of the SDK fails with that error unchanged", async () => {
    await using scripted = await scriptedFetch();
    const controller = new AbortController();
    const reason = new ProtocolError("mine");
    const response = await scripted.client.fetch(scripted.url, controller);
    controller.abort(reason);
    expect(await failureOf(response.text())).toBe(reason);
    expect([reason.message, reason.operation]).toEqual(["mine", undefined]);
  });

  it("that was forgotten is dropped, and its connection no longer counts it", async () => {
    await using scripted = await scriptedFetch();
    const signal = new AbortController().signal;
    const before = scripted.client.openSession().bodies.size;
    await (async () => {
      await scripted.client.fetch(scripted.url, { signal });
      const { body } = await scripted.client.fetch(scripted.url);
      scripted.delta(1, "read", {}, "http-2");
      await body?.getReader().read();
    })();
    expect(scripted.client.openSession().bodies.size).toBe(before + 2);
    while (scripted.client.openSession().bodies.size > before) await collectGarbage();
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("that is read by text() is not dropped while it waits for pieces", async () => {
    await using scripted = await scriptedFetch();
    const reading = scripted.client.fetch(scripted.url).then((response) => response.text());
    await scripted.connection.request("http/request");
    for (let turn = 0; turn < 20; turn++) await collectGarbage();
    scripted.delta(1, "late", { done: true });
    expect(await reading).toBe("late");
  });

  it("that exceeded its limit ends the exchange at once", async () => {
    await using scripted = await scriptedFetch();
    const response = await scripted.client.fetch(scripted.url, { maxBufferedBytes: 1 });
    scripted.delta(1, "ab");
    await scripted.seen();
    expect(scripted.client.openSession().bodies.size).toBe(0);
    expect(await readBody(response)).toEqual({ pieces: ["a"], error: error("ERR_OVERFLOW") });
  });
});

describe("an unread body", () => {
  it("is kept up to exactly its budget, and then fails without affecting others", async () => {
    await using scripted = await scriptedFetch();
    const response = await scripted.client.fetch(scripted.url, { maxBufferedBytes: 10 });
    for (const [at, text] of ["1234", "5678", "9abc", "def"].entries()) scripted.delta(at + 1, text);
    scripted.delta(5, "", { done: true });
    await scripted.seen();
    expect(await readBody(response)).toEqual({
      pieces: ["1234", "5678", "9a"],
      error: error("ERR_OVERFLOW"),
    });
  });

  it("is complete if it exactly fits the budget", async () => {
    await using scripted = await scriptedFetch();
    const response = await scripted.client.fetch(scripted.url, { maxBufferedBytes: 3 });
    scripted.delta(1, "abc", { done: true });
    await scripted.seen();
    expect(await response.text()).toBe("abc");
  });

  it("does not affect calls or other bodies, in any number of pieces", async () => {
    await using scripted = await scriptedFetch();
    const unread = await scripted.client.fetch(scripted.url);
    for (let seq = 1; seq <= 2_000; seq++) scripted.delta(seq, "x");
    const other = await scripted.client.fetch(scripted.url);
    scripted.delta(1, "fine", { done: true }, "http-2");
    expect(await other.text()).toBe("fine");
    scripted.delta(2_001, "", { done: true });
    expect(await unread.text()).toBe("x".repeat(2_000));
  });
});

describe("when the connection ends", () => {
  it.each<[string, number, number, boolean]>([
    ["before any piece: the disconnect", 0, 0, false],
    ["with unread pieces: these first", 3, 0, false],
    ["after pieces were read: the disconnect, not a gap", 2, 2, false],
    ["after the last piece: the complete body", 3, 1, true],
  ])("a reader gets %s", async (_, sent, read, done) => {
    await using scripted = await scriptedFetch();
    const response = await scripted.client.fetch(scripted.url);
    const reader = response.body?.getReader();
    for (let seq = 1; seq <= sent; seq++) scripted.delta(seq, `${seq}`, { done: done && seq === sent });
    for (let seq = 1; seq <= read; seq++) expect((await reader?.read())?.done).toBe(false);
    await scripted.seen();
    scripted.connection.drop();
    await scripted.client.disconnected;
    reader?.releaseLock();
    const pieces = Array.from({ length: sent - read }, (_, at) => `${read + at + 1}`);
    expect(await readBody(response)).toEqual({ pieces, error: done ? undefined : error("ERR_DISCONNECTED") });
  });

  it("a pending read and a pending request reject with the same message", async () => {
    const server = new QuietServer();
    server.handle("http/request", ({ params }) => (params.method === "GET" ? OK : silence));
    await using scripted = await scriptedFetch(server);
    const response = await scripted.client.fetch(scripted.url);
    const reading = readBody(response);
    const fetching = failureOf(scripted.client.fetch(scripted.url, { method: "POST" }));
    await scripted.connection.request("http/request", 2);
    scripted.connection.drop();
    const { message } = await scripted.client.disconnected;
    expect(await reading).toEqual({ pieces: [], error: expect.objectContaining({ message }) });
    expect(await fetching).toMatchObject({ message: `fetch: ${message}`, delivery: "unknown" });
    expect(await failureOf(scripted.client.fetch(scripted.url))).toMatchObject({
      message: `fetch: ${message}`,
      delivery: "not-sent",
    });
  });

  it("with close(), bodies fail with a ClosedError", async () => {
    await using scripted = await scriptedFetch();
    const response = await scripted.client.fetch(scripted.url);
    await scripted.client.close();
    expect(await readBody(response)).toEqual({ pieces: [], error: error("ERR_CLOSED") });
  });
});
