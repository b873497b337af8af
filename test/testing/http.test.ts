import { describe, expect, it } from "vitest";
import { ExecServerClient } from "../../src/index.ts";
import { TestServer } from "../../src/testing.ts";
import { failureOf } from "../support/failure.ts";
import { readBody } from "../support/read-body.ts";

async function connected() {
  const server = new TestServer();
  const client = await ExecServerClient.connect({ transport: server.transport });
  return {
    server,
    client,
    async [Symbol.asyncDispose]() {
      await client.close();
      server.close();
    },
  };
}

describe("onFetch()", () => {
  it("answers with a standard response to a standard request", async () => {
    await using it = await connected();
    it.server.onFetch(async (request) => {
      const { method, url } = request;
      const seen = { method, url, type: request.headers.get("content-type"), body: await request.text() };
      return Response.json(seen, { status: 201, headers: { "x-a": "1" } });
    });
    const response = await it.client.fetch("http://localhost:3000/a?b#c", { method: "POST", body: "hello" });
    expect([response.status, response.headers.get("x-a")]).toEqual([201, "1"]);
    expect(await response.json()).toEqual({
      method: "POST",
      url: "http://localhost:3000/a?b",
      type: "text/plain;charset=UTF-8",
      body: "hello",
    });
  });

  it("asks the latest handler first, and the others for what it leaves", async () => {
    await using it = await connected();
    it.server.onFetch(() => new Response("any"));
    const restore = it.server.onFetch(({ url }) => (url.endsWith("/a") ? new Response("a") : undefined));
    const text = async (url: string) => (await it.client.fetch(url)).text();
    expect([await text("http://x.test/a"), await text("http://x.test/b")]).toEqual(["a", "any"]);
    restore();
    restore();
    expect(await text("http://x.test/a")).toBe("any");
  });

  it("streams a body as it comes, up to its failure", async () => {
    await using it = await connected();
    let controller!: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start(of) {
        controller = of;
      },
    });
    it.server.onFetch(() => new Response(body));
    const response = await it.client.fetch("http://x.test");
    const reading = readBody(response);
    controller.enqueue(new TextEncoder().encode("one"));
    controller.enqueue(new TextEncoder().encode("two"));
    await new Promise(setImmediate);
    controller.error(new Error("cable cut"));
    expect(await reading).toEqual({
      pieces: ["one", "two"],
      error: expect.objectContaining({ code: "ERR_SERVER", message: expect.stringContaining("cable cut") }),
    });
  });

  it("sends no body before its response", async () => {
    await using it = await connected();
    it.server.onFetch(() => new Response("body"));
    const connection = await it.server.connection();
    const release = connection.holdFrames();
    const fetching = it.client.fetch("http://x.test");
    await connection.request("http/request");
    await new Promise(setImmediate);
    release((frames) => {
      const methods = frames.map((frame) => JSON.parse(String(frame)).method);
      expect(methods).toEqual([undefined, "http/request/bodyDelta", "http/request/bodyDelta"]);
      return frames;
    });
    expect(await (await fetching).text()).toBe("body");
  });

  it("stops reading a body when the connection has ended", async () => {
    await using it = await connected();
    let wasCancelled = false;
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(1)),
      cancel() {
        wasCancelled = true;
      },
    });
    it.server.onFetch(() => new Response(endless));
    await it.client.fetch("http://x.test");
    (await it.server.connection()).drop();
    while (!wasCancelled) await new Promise(setImmediate);
  });

  it("puts the whole body into the answer when it is asked for that way", async () => {
    await using it = await connected();
    it.server.onFetch(() => new Response("whole"));
    const params = {
      method: "GET",
      url: "http://x.test/",
      headers: [{ name: "authorization", value: "", valueEnvVar: "TOKEN" }],
      bodyBase64: null,
      redirectPolicy: "follow",
      requestId: "by-hand",
      streamResponse: false,
    } as const;
    expect(await it.client.call("http/request", params)).toMatchObject({
      status: 200,
      bodyBase64: btoa("whole"),
    });
    it.server.onFetch((request) => new Response(request.headers.get("authorization")));
    expect(await it.client.call("http/request", params)).toMatchObject({ bodyBase64: btoa("$TOKEN") });
  });

  it("that throws is a request that failed", async () => {
    await using it = await connected();
    it.server.onFetch(() => {
      throw new Error("connection refused");
    });
    expect(await failureOf(it.client.fetch("http://x.test"))).toMatchObject({
      code: "ERR_SERVER",
      rpcCode: -32603,
      message: expect.stringContaining("http/request failed: Error: connection refused"),
    });
  });

  it("is what to add when nobody answers", async () => {
    await using it = await connected();
    it.server.onFetch(() => undefined);
    expect(await failureOf(it.client.fetch("http://x.test/a"))).toMatchObject({
      code: "ERR_SERVER",
      message: expect.stringContaining("nobody answers GET http://x.test/a: add server.onFetch("),
    });
  });
});
