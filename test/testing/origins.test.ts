import { describe, expect, it } from "vitest";
import { TestServer } from "../../src/testing.ts";
import { failureOf } from "../support/failure.ts";
import { readBody } from "../support/read-body.ts";
import { connectedTo } from "../support/scripted-server.ts";

const connected = () => connectedTo(new TestServer());

describe("onFetch()", () => {
  it("maps a standard Request to a standard Response", async () => {
    await using t = await connected();
    t.server.onFetch(async (request) => {
      const { method, url } = request;
      const seen = { method, url, type: request.headers.get("content-type"), body: await request.text() };
      return Response.json(seen, { status: 201, headers: { "x-a": "1" } });
    });
    const response = await t.client.fetch("http://localhost:3000/a?b#c", { method: "POST", body: "hello" });
    expect([response.status, response.headers.get("x-a")]).toEqual([201, "1"]);
    expect(await response.json()).toEqual({
      method: "POST",
      url: "http://localhost:3000/a?b",
      type: "text/plain;charset=UTF-8",
      body: "hello",
    });
  });

  it("calls the latest handler first, and earlier ones if it returns undefined", async () => {
    await using t = await connected();
    t.server.onFetch(() => new Response("any"));
    const restore = t.server.onFetch(({ url }) => (url.endsWith("/a") ? new Response("a") : undefined));
    const text = async (url: string) => (await t.client.fetch(url)).text();
    expect([await text("http://x.test/a"), await text("http://x.test/b")]).toEqual(["a", "any"]);
    restore();
    restore();
    expect(await text("http://x.test/a")).toBe("any");
  });

  it("streams a body chunk by chunk, up to its error", async () => {
    await using t = await connected();
    let controller!: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start(of) {
        controller = of;
      },
    });
    t.server.onFetch(() => new Response(body));
    const response = await t.client.fetch("http://x.test");
    const reading = readBody(response);
    controller.enqueue(new TextEncoder().encode("one"));
    controller.enqueue(new TextEncoder().encode("two"));
    await new Promise(setImmediate);
    controller.error(new Error("read ECONNRESET"));
    expect(await reading).toEqual({
      pieces: ["one", "two"],
      error: expect.objectContaining({
        code: "ERR_SERVER",
        message: expect.stringContaining("read ECONNRESET"),
      }),
    });
  });

  it("sends the body after the response", async () => {
    await using t = await connected();
    t.server.onFetch(() => new Response("body"));
    const connection = await t.server.connection();
    const release = connection.holdFrames();
    const fetching = t.client.fetch("http://x.test");
    await connection.request("http/request");
    await new Promise(setImmediate);
    release((frames) => {
      const methods = frames.map((frame) => JSON.parse(String(frame)).method);
      expect(methods).toEqual([undefined, "http/request/bodyDelta", "http/request/bodyDelta"]);
      return frames;
    });
    expect(await (await fetching).text()).toBe("body");
  });

  it.each<[string, (controller: ReadableStreamDefaultController) => void | Promise<void>]>([
    ["produces more", (controller) => controller.enqueue(new Uint8Array(1))],
    ["waits for its next chunk", () => new Promise(() => {})],
  ])("cancels a body that %s when the connection has ended", async (_, pull) => {
    await using t = await connected();
    let wasCancelled = false;
    const endless = new ReadableStream({
      pull,
      cancel() {
        wasCancelled = true;
      },
    });
    t.server.onFetch(() => new Response(endless));
    await t.client.fetch("http://x.test");
    (await t.server.connection()).drop();
    while (!wasCancelled) await new Promise(setImmediate);
  });

  it("puts the whole body into the result if streamResponse is false", async () => {
    await using t = await connected();
    t.server.onFetch(() => new Response("whole"));
    const params = {
      method: "GET",
      url: "http://x.test/",
      headers: [{ name: "authorization", value: "", valueEnvVar: "TOKEN" }],
      bodyBase64: null,
      redirectPolicy: "follow",
      requestId: "r1",
      streamResponse: false,
    } as const;
    expect(await t.client.call("http/request", params)).toMatchObject({
      status: 200,
      bodyBase64: btoa("whole"),
    });
    t.server.onFetch((request) => new Response(request.headers.get("authorization")));
    expect(await t.client.call("http/request", params)).toMatchObject({ bodyBase64: btoa("$TOKEN") });
  });

  it("fails the request if the handler throws", async () => {
    await using t = await connected();
    t.server.onFetch(() => {
      throw new Error("connection refused");
    });
    expect(await failureOf(t.client.fetch("http://x.test"))).toMatchObject({
      code: "ERR_SERVER",
      rpcCode: -32603,
      message: expect.stringContaining("http/request failed: Error: connection refused"),
    });
  });

  it("is named by the error of a request without a handler", async () => {
    await using t = await connected();
    t.server.onFetch(() => undefined);
    expect(await failureOf(t.client.fetch("http://x.test/a"))).toMatchObject({
      code: "ERR_SERVER",
      message: expect.stringContaining(
        "the test server has no response for GET http://x.test/a: add server.onFetch(",
      ),
    });
  });
});
