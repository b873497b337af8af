import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { LazyExecServerClient, type RemoteRequestInit, ServerError } from "../../src/index.ts";
import { failureOf } from "../support/failure.ts";
import { readBody } from "../support/read-body.ts";
import { OK, scriptedFetch } from "../support/scripted-fetch.ts";
import { QuietServer, ready } from "../support/scripted-server.ts";

const reason = new Error("enough");

function aborting() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort(reason) };
}

describe("an aborted fetch rejects with the signal's reason", () => {
  it("before anything is sent, and does not touch the body", async () => {
    await using it = await scriptedFetch();
    const request = new Request(it.url, { method: "POST", body: "x", signal: AbortSignal.abort(reason) });
    expect(await failureOf(it.client.fetch(request))).toBe(reason);
    expect(request.bodyUsed).toBe(false);
    const { signal, abort } = aborting();
    const fetching = failureOf(it.client.fetch(it.url, { signal }));
    abort();
    expect(await fetching).toBe(reason);
    await it.seen();
    expect(it.requests()).toEqual([]);
  });

  it("while connecting", async () => {
    const transport = { reconnectable: true, connect: () => new Promise<never>(() => {}) };
    await using lazy = new LazyExecServerClient({ transport });
    const { signal, abort } = aborting();
    const fetching = failureOf(lazy.fetch("http://a.test", { signal }));
    abort();
    expect(await fetching).toBe(reason);
    expect(await failureOf(lazy.fetch("http://a.test", { timeoutMs: 10 }))).toMatchObject({
      code: "ERR_TIMEOUT",
      delivery: "not-sent",
    });
    expect(lazy.state).toBe("idle");
  });

  it("before the headers, and what still comes is nobody's: the next request is unaffected", async () => {
    await using it = await scriptedFetch(ready(new QuietServer()));
    const { signal, abort } = aborting();
    const fetching = failureOf(it.client.fetch(it.url, { signal }));
    const late = await it.connection.request("http/request");
    abort();
    expect(await fetching).toBe(reason);
    const next = it.client.fetch(it.url);
    const request = await it.connection.request("http/request", 2);
    it.connection.answer(late, OK);
    it.delta(1, "late");
    it.delta(5, "late and wrong", { done: true });
    it.connection.answer(request, OK);
    it.delta(1, "mine", { done: true }, "http-2");
    expect(await (await next).text()).toBe("mine");
  });

  it("during the body, at once, whatever was waiting to be read", async () => {
    await using it = await scriptedFetch();
    const { signal, abort } = aborting();
    const [waiting, kept] = [
      await it.client.fetch(it.url, { signal }),
      await it.client.fetch(it.url, { signal }),
    ];
    it.delta(1, "unread", {}, "http-2");
    const reading = readBody(waiting);
    await it.seen();
    abort();
    expect(await reading).toEqual({ pieces: [], error: reason });
    expect(await readBody(kept)).toEqual({ pieces: [], error: reason });
    it.delta(1, "late", { done: true });
    it.delta(9, "late and wrong", {}, "http-2");
    await it.seen();
  });

  it("after the body has arrived but before it is read", async () => {
    await using it = await scriptedFetch();
    const { signal, abort } = aborting();
    const response = await it.client.fetch(it.url, { signal });
    it.delta(1, "unread", { done: true });
    await it.seen();
    abort();
    expect(await readBody(response)).toEqual({ pieces: [], error: reason });
  });

  it("of the Request, unless init takes that away", async () => {
    await using it = await scriptedFetch();
    const { signal, abort } = aborting();
    const request = new Request(it.url, { signal });
    const bodies = [
      await it.client.fetch(request),
      await it.client.fetch(request, { signal: null }),
    ] as const;
    abort();
    expect(await readBody(bodies[0])).toEqual({ pieces: [], error: reason });
    it.delta(1, "b", { done: true }, "http-2");
    expect(await bodies[1].text()).toBe("b");
  });
});

describe("a cancelled body", () => {
  it("ends quietly: late pieces are nobody's and the next request is unaffected", async () => {
    await using it = await scriptedFetch();
    const response = await it.client.fetch(it.url);
    it.delta(1, "read");
    for await (const _ of response.body ?? []) break;
    it.delta(2, "late");
    it.delta(9, "late and wrong");
    it.delta(3, "", { done: true });
    const next = await it.client.fetch(it.url);
    it.delta(1, "mine", { done: true }, "http-2");
    expect(await next.text()).toBe("mine");
  });
});

describe("a signal that lives on keeps no listener", () => {
  type Exchange = Awaited<ReturnType<typeof scriptedFetch>>;
  type End = (it: Exchange, fetching: Promise<Response>) => Promise<unknown>;

  it.each<[string, End, RemoteRequestInit?]>([
    [
      "after a body was read",
      async (it, fetching) => {
        const response = await fetching;
        it.delta(1, "x", { done: true });
        await response.text();
      },
    ],
    [
      "after a body has arrived that nobody reads",
      async (it, fetching) => {
        await fetching;
        it.delta(1, "x", { done: true });
        await it.seen();
      },
    ],
    ["after a cancel", async (_, fetching) => (await fetching).body?.cancel()],
    ["after a response without a body", (_, fetching) => fetching, { method: "HEAD" }],
    [
      "after the server's error in the body",
      async (it, fetching) => {
        await fetching;
        it.delta(1, "", { done: true, error: "lost" });
        await it.seen();
      },
    ],
    [
      "after an overflow",
      async (it, fetching) => {
        const response = await fetching;
        it.delta(1, "xyz");
        await it.seen();
        expect((await readBody(response)).error).toMatchObject({ code: "ERR_OVERFLOW" });
      },
      { maxBufferedBytes: 1 },
    ],
    [
      "after the end of the connection",
      async (it, fetching) => {
        await fetching;
        await it.client.close();
      },
    ],
    ["after a refusal", (_, fetching) => failureOf(fetching), { headers: { "x-refuse": "1" } }],
    ["after a request that can't be made", (_, fetching) => failureOf(fetching), { body: "on a GET" }],
    ["after the deadline", (_, fetching) => failureOf(fetching.then((r) => r.text())), { timeoutMs: 50 }],
  ])("%s", async (_, end, init) => {
    const server = ready(new QuietServer());
    server.handle("http/request", ({ params }) => {
      if (params.headers.some(({ name }) => name === "x-refuse")) {
        throw new ServerError("refused", { rpcCode: -32603 });
      }
      return OK;
    });
    await using it = await scriptedFetch(server);
    const { signal } = aborting();
    await end(it, it.client.fetch(it.url, { ...init, signal }));
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});
