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
  it("before anything is sent, and leaves the body unread", async () => {
    await using scripted = await scriptedFetch();
    const request = new Request(scripted.url, {
      method: "POST",
      body: "x",
      signal: AbortSignal.abort(reason),
    });
    expect(await failureOf(scripted.client.fetch(request))).toBe(reason);
    expect(request.bodyUsed).toBe(false);
    const { signal, abort } = aborting();
    const fetching = failureOf(scripted.client.fetch(scripted.url, { signal }));
    abort();
    expect(await fetching).toBe(reason);
    await scripted.seen();
    expect(scripted.requests()).toEqual([]);
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

  it("before the headers; late frames of the request do not affect the next request", async () => {
    await using scripted = await scriptedFetch(ready(new QuietServer()));
    const { signal, abort } = aborting();
    const fetching = failureOf(scripted.client.fetch(scripted.url, { signal }));
    const late = await scripted.connection.request("http/request");
    abort();
    expect(await fetching).toBe(reason);
    const next = scripted.client.fetch(scripted.url);
    const request = await scripted.connection.request("http/request", 2);
    scripted.connection.answer(late, OK);
    scripted.delta(1, "late");
    scripted.delta(5, "late and wrong", { done: true });
    scripted.connection.answer(request, OK);
    scripted.delta(1, "mine", { done: true }, "http-2");
    expect(await (await next).text()).toBe("mine");
  });

  it("during the body, at once, even if unread bytes are kept", async () => {
    await using scripted = await scriptedFetch();
    const { signal, abort } = aborting();
    const [waiting, kept] = [
      await scripted.client.fetch(scripted.url, { signal }),
      await scripted.client.fetch(scripted.url, { signal }),
    ];
    scripted.delta(1, "unread", {}, "http-2");
    const reading = readBody(waiting);
    await scripted.seen();
    abort();
    expect(await reading).toEqual({ pieces: [], error: reason });
    expect(await readBody(kept)).toEqual({ pieces: [], error: reason });
    scripted.delta(1, "late", { done: true });
    scripted.delta(9, "late and wrong", {}, "http-2");
    await scripted.seen();
  });

  it("after the body has arrived but before it is read", async () => {
    await using scripted = await scriptedFetch();
    const { signal, abort } = aborting();
    const response = await scripted.client.fetch(scripted.url, { signal });
    scripted.delta(1, "unread", { done: true });
    await scripted.seen();
    abort();
    expect(await readBody(response)).toEqual({ pieces: [], error: reason });
  });

  it("of the Request, unless init has signal: null", async () => {
    await using scripted = await scriptedFetch();
    const { signal, abort } = aborting();
    const request = new Request(scripted.url, { signal });
    const bodies = [
      await scripted.client.fetch(request),
      await scripted.client.fetch(request, { signal: null }),
    ] as const;
    abort();
    expect(await readBody(bodies[0])).toEqual({ pieces: [], error: reason });
    scripted.delta(1, "b", { done: true }, "http-2");
    expect(await bodies[1].text()).toBe("b");
  });
});

describe("a cancelled body", () => {
  it("ignores late pieces, which do not affect the next request", async () => {
    await using scripted = await scriptedFetch();
    const response = await scripted.client.fetch(scripted.url);
    scripted.delta(1, "read");
    for await (const _ of response.body ?? []) break;
    scripted.delta(2, "late");
    scripted.delta(9, "late and wrong");
    scripted.delta(3, "", { done: true });
    const next = await scripted.client.fetch(scripted.url);
    scripted.delta(1, "mine", { done: true }, "http-2");
    expect(await next.text()).toBe("mine");
  });
});

describe("a long-lived signal keeps no listener", () => {
  type Exchange = Awaited<ReturnType<typeof scriptedFetch>>;
  type End = (scripted: Exchange, fetching: Promise<Response>) => Promise<unknown>;

  it.each<[string, End, RemoteRequestInit?]>([
    [
      "after a body was read",
      async (scripted, fetching) => {
        const response = await fetching;
        scripted.delta(1, "x", { done: true });
        await response.text();
      },
    ],
    [
      "after the arrival of an unread body",
      async (scripted, fetching) => {
        await fetching;
        scripted.delta(1, "x", { done: true });
        await scripted.seen();
      },
    ],
    ["after a cancel", async (_, fetching) => (await fetching).body?.cancel()],
    ["after a response without a body", (_, fetching) => fetching, { method: "HEAD" }],
    [
      "after the server's error in the body",
      async (scripted, fetching) => {
        await fetching;
        scripted.delta(1, "", { done: true, error: "lost" });
        await scripted.seen();
      },
    ],
    [
      "after an overflow",
      async (scripted, fetching) => {
        const response = await fetching;
        scripted.delta(1, "xyz");
        await scripted.seen();
        expect((await readBody(response)).error).toMatchObject({ code: "ERR_OVERFLOW" });
      },
      { maxBufferedBytes: 1 },
    ],
    [
      "after the end of the connection",
      async (scripted, fetching) => {
        await fetching;
        await scripted.client.close();
      },
    ],
    ["after an error response", (_, fetching) => failureOf(fetching), { headers: { "x-refuse": "1" } }],
    ["after an invalid request", (_, fetching) => failureOf(fetching), { body: "on a GET" }],
    ["after the deadline", (_, fetching) => failureOf(fetching.then((r) => r.text())), { timeoutMs: 50 }],
  ])("%s", async (_, end, init) => {
    const server = ready(new QuietServer());
    server.handle("http/request", ({ params }) => {
      if (params.headers.some(({ name }) => name === "x-refuse")) {
        throw new ServerError("refused", { rpcCode: -32603 });
      }
      return OK;
    });
    await using scripted = await scriptedFetch(server);
    const { signal } = aborting();
    await end(scripted, scripted.client.fetch(scripted.url, { ...init, signal }));
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});
