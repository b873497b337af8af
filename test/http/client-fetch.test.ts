import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ExecServerClient, LazyExecServerClient, webSocket } from "../../src/index.ts";
import { ExecServer } from "../support/exec-server.ts";
import { failureOf } from "../support/failure.ts";
import { Origin } from "../support/origin.ts";
import { scriptedFetch } from "../support/scripted-fetch.ts";

let origin: Origin;
beforeAll(async () => {
  origin = await Origin.start();
});
afterAll(() => origin[Symbol.asyncDispose]());

describe("fetch of a client", () => {
  it("can be detached and passed as a custom fetch", async () => {
    await using scripted = await scriptedFetch();
    const { fetch } = scripted.client;
    const withCustomFetch = async (options: { fetch: typeof globalThis.fetch }) =>
      (await options.fetch(new URL(scripted.url), { method: "POST", body: "x" })).status;
    expect(await withCustomFetch({ fetch })).toBe(200);
    expect(scripted.requests()[0]?.params).toMatchObject({
      method: "POST",
      url: scripted.url,
      bodyBase64: "eA==",
    });
  });

  it("requests a stream, with an id that counts up on each connection", async () => {
    for (const _ of ["one connection", "another"]) {
      await using scripted = await scriptedFetch();
      for (const id of ["http-1", "http-2", "http-3"]) {
        await scripted.client.fetch(scripted.url, { headers: { a: "1" } });
        expect(scripted.requests().at(-1)?.params).toEqual({
          method: "GET",
          url: scripted.url,
          headers: [{ name: "a", value: "1" }],
          bodyBase64: null,
          redirectPolicy: "follow",
          requestId: id,
          streamResponse: true,
        });
      }
    }
  });

  it("sends a timeout only with timeoutMs: whole milliseconds, 1 s longer than its own", async () => {
    await using scripted = await scriptedFetch();
    await scripted.client.fetch(scripted.url, { timeoutMs: 1_500.2 });
    expect(scripted.requests()[0]?.params).toMatchObject({ timeoutMs: 2_501 });
  });
});

describe("fetch of a lazy client", () => {
  it("connects at the first use", async () => {
    await using server = await ExecServer.start();
    await using lazy = new LazyExecServerClient({ transport: webSocket(server.url) });
    const { fetch } = lazy;
    expect(lazy.state).toBe("idle");
    origin.answer = (response) => response.end("hello");
    expect(await (await fetch(origin.url)).text()).toBe("hello");
    expect(lazy.state).toBe("connected");
  });

  it("says what it can mean that the server could not send a request", async () => {
    await using server = await ExecServer.start();
    await using lazy = new LazyExecServerClient({ transport: webSocket(server.url) });
    await expect(lazy.fetch("http://127.0.0.1:1/?hunter2")).rejects.toThrow(
      /: error sending request for url http:\/\/127\.0\.0\.1:1\/\. Is the name of the host right, and does something listen there\?$/,
    );
  });

  it.each([
    ["is closed, whatever has become of its connections", "ERR_CLOSED", true],
    ["has lost its only connection", "ERR_DISCONNECTED", false],
  ])("rejects while it waits for the source of its body, when the client %s", async (_, code, isLazy) => {
    await using server = await ExecServer.start();
    const transport = webSocket(server.url);
    await using client = isLazy
      ? new LazyExecServerClient({ transport, fetchConnection: "own" })
      : await ExecServerClient.connect({ transport });
    const cancel = vi.fn();
    origin.requests.length = 0;
    const init = { method: "POST", body: new ReadableStream({ cancel }), duplex: "half" };
    const failure = failureOf(client.fetch(origin.url, init as RequestInit));
    if (isLazy) {
      // The connection that only fetch uses ends with its last aborted request.
      origin.answer = () => {};
      const aborting = new AbortController();
      const aborted = failureOf(client.fetch(origin.url, { signal: aborting.signal }));
      await vi.waitUntil(() => origin.requests.length > 0);
      aborting.abort();
      await aborted;
      await client.close();
    } else await server.kill("SIGKILL");
    expect(await failure).toMatchObject({ code, delivery: "not-sent", operation: "fetch" });
    expect(cancel).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code }));
  });

  it("fails a body whose server is killed, sends nothing twice, and continues in a new session", async () => {
    await using server = await ExecServer.start();
    await using lazy = new LazyExecServerClient({ transport: webSocket(server.url) });
    origin.requests.length = 0;
    origin.answer = (response) => void response.write("first");
    const response = await lazy.fetch(origin.url, { method: "POST", body: "once" });
    const before = (await lazy.get()).sessionId;
    const reader = response.body?.getReader();
    expect((await reader?.read())?.value).toEqual(new TextEncoder().encode("first"));
    await server.kill("SIGKILL");
    expect(await failureOf(reader?.read() ?? Promise.resolve())).toMatchObject({
      code: "ERR_DISCONNECTED",
      sessionId: before,
    });
    await server.restart();

    origin.answer = (response) => response.end("again");
    expect(await (await lazy.fetch(origin.url)).text()).toBe("again");
    expect((await lazy.get()).sessionId).not.toBe(before);
    expect(origin.requests.map(({ method }) => method)).toEqual(["POST", "GET"]);
  });
});
