import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { failureOf } from "../support/failure.ts";
import { expectNoneShown } from "../support/leaks.ts";
import type { Origin } from "../support/origin.ts";
import { realHttp } from "../support/real-http.ts";
import { scriptedFetch } from "../support/scripted-fetch.ts";

let real: Awaited<ReturnType<typeof realHttp>>;
let origin: Origin;
beforeAll(async () => {
  real = await realHttp({ env: { FETCH_TEST_TOKEN: "Bearer sesame" } });
  origin = real.origin;
});
afterAll(() => real[Symbol.asyncDispose]());

describe("a request", () => {
  it("can be a string, a URL or a Request", async () => {
    const url = `${origin.url}/path?q=a%20b`;
    for (const input of [url, new URL(url), new Request(url)]) {
      expect((await real.client.fetch(input)).status).toBe(200);
      expect(origin.latest).toMatchObject({ method: "GET", url: "/path?q=a%20b", body: Buffer.alloc(0) });
    }
  });

  it("can be a Request with method, headers and body", async () => {
    await real.client.fetch(
      new Request(origin.url, { method: "PUT", headers: { "X-A": "1" }, body: "from the request" }),
    );
    expect(origin.latest).toMatchObject({ method: "PUT", body: Buffer.from("from the request") });
    expect(origin.header("x-a")).toEqual(["1"]);
    expect(origin.header("content-type")).toEqual(["text/plain;charset=UTF-8"]);
  });

  it("can be a Request with each part overridden, as in the standard", async () => {
    const headers = { "x-a": "1", "content-type": "text/a" };
    const request = () => new Request(origin.url, { method: "PUT", headers, body: "old" });
    await real.client.fetch(request(), { method: "post", body: "new" });
    expect(origin.latest).toMatchObject({ method: "POST", body: Buffer.from("new") });
    expect(origin.header("content-type")).toEqual(["text/a"]);
    await real.client.fetch(request(), { headers: { "x-b": "2" } });
    expect(origin.latest).toMatchObject({ method: "PUT", body: Buffer.from("old") });
    expect([origin.header("x-a"), origin.header("x-b")]).toEqual([[], ["2"]]);
  });

  it("sends its method in upper case", async () => {
    for (const method of ["patch", "Delete", "OPTIONS"]) {
      await real.client.fetch(origin.url, { method });
      expect(origin.latest.method).toBe(method.toUpperCase());
    }
  });

  it("does not send the fragment of its URL", async () => {
    const response = await real.client.fetch(`${origin.url}/page#section`);
    expect(origin.latest.url).toBe("/page");
    expect(response.url).toBe(`${origin.url}/page`);
  });
});

describe("the headers of a request", () => {
  it("keep order and repetitions if given as pairs", async () => {
    await real.client.fetch(origin.url, {
      headers: [
        ["X-Second", "2"],
        ["x-same", "one"],
        ["X-Same", "two, three"],
        ["x-first", "1"],
      ],
    });
    const ours = origin.latest.headers.filter(([name]) => name.startsWith("x-"));
    expect(ours).toEqual([
      ["x-second", "2"],
      ["x-same", "one"],
      ["x-same", "two, three"],
      ["x-first", "1"],
    ]);
  });

  it("can be a record or a Headers object, also of another realm", async () => {
    const pairs = [["x-a", "1"]] as const;
    const foreign = { [Symbol.iterator]: () => pairs.values() } as unknown as Headers;
    for (const headers of [{ "x-a": "1" }, new Headers({ "x-a": "1" }), foreign]) {
      await real.client.fetch(origin.url, { headers });
      expect(origin.header("x-a")).toEqual(["1"]);
    }
  });

  it("can read their values from the server's environment", async () => {
    await real.client.fetch(origin.url, {
      headers: { "x-plain": "1" },
      headersFromEnv: { Authorization: "FETCH_TEST_TOKEN" },
    });
    expect(origin.header("authorization")).toEqual(["Bearer sesame"]);
    expect(origin.header("x-plain")).toEqual(["1"]);
    const missing = real.client.fetch(origin.url, { headersFromEnv: { Authorization: "NOT_THERE" } });
    expect(await failureOf(missing)).toMatchObject({ code: "ERR_SERVER", kind: "invalid" });
  });
});

describe("an invalid request", () => {
  const used = async (): Promise<Request> => {
    const request = new Request("http://a.test", { method: "POST", body: "x" });
    await request.text();
    return request;
  };

  it.each<[string, string | (() => Promise<Request>), RequestInit & { headersFromEnv?: object }]>([
    ["a relative URL", "/path?q=secret-value", {}],
    ["a URL of another scheme", "ftp://a.test/secret-value", {}],
    ["a URL with credentials", "http://me:secret-value@a.test/", {}],
    ["a GET with a body", "http://a.test", { body: "secret-value" }],
    ["a HEAD with an empty body", "http://a.test", { method: "head", body: "" }],
    ["a malformed method", "http://a.test", { method: "GET /secret-value" }],
    ["an empty method", "http://a.test", { method: "" }],
    ["a malformed header name", "http://a.test", { headers: [["a: secret-value", "secret-value"]] }],
    ["a header value with a line break", "http://a.test", { headers: { a: "secret-value\r\nb: c" } }],
    ["a header value beyond Latin-1", "http://a.test", { headers: { a: "secret-value €" } }],
    ["a header that is not a pair", "http://a.test", { headers: [["x-alone"]] as never }],
    ["a malformed header name in headersFromEnv", "http://a.test", { headersFromEnv: { "a\nb": "HOME" } }],
    ["a Request whose body was read", used, {}],
  ])("is refused before anything is sent: %s", async (_, input, init) => {
    await using scripted = await scriptedFetch();
    const given = typeof input === "string" ? input : await input();
    const failure = await failureOf(scripted.client.fetch(given, init as RequestInit));
    expect(failure).toMatchObject({ code: "ERR_INVALID_ARGUMENT", delivery: "not-sent" });
    expectNoneShown(failure, ["secret-value"]);
    await scripted.seen();
    expect(scripted.requests()).toEqual([]);
  });

  it.each<[string, unknown]>([
    ["timeoutMs", Number.NaN],
    ["timeoutMs", -1],
    ["timeoutMs", 0],
    ["timeoutMs", null],
    ["timeoutMs", "soon"],
    ["maxBufferedBytes", Number.NaN],
    ["maxBufferedBytes", -1],
    ["maxBufferedBytes", null],
    ["maxBufferedBytes", "soon"],
    ["method", 5],
    ["headers", 5],
    ["headers", "x-a: 1"],
    ["redirect", "never"],
    ["redirect", true],
    ["headersFromEnv", "HOME"],
    ["headersFromEnv", null],
    ["headersFromEnv", { authorization: 5 }],
  ])("is refused before anything is sent: %s %s", async (name, value) => {
    await using scripted = await scriptedFetch();
    const init = { [name]: value };
    expect(await failureOf(scripted.client.fetch(scripted.url, init))).toMatchObject({
      code: "ERR_INVALID_ARGUMENT",
      operation: "fetch",
      message: expect.stringMatching(new RegExp(`^fetch: init: ${name} must be .*, got `)),
    });
    await scripted.seen();
    expect(scripted.requests()).toEqual([]);
  });

  it("is no request whose options are undefined, null or unknown", async () => {
    await using scripted = await scriptedFetch();
    const unknown = {
      timeoutMs: undefined,
      maxBufferedBytes: undefined,
      headersFromEnv: { "x-a": undefined },
      duplex: "half",
      dispatcher: {},
      next: { revalidate: 1 },
      agent: null,
    };
    await scripted.client.fetch(scripted.url, unknown as RequestInit);
    await scripted.client.fetch(scripted.url, null as never);
    expect(scripted.requests()).toHaveLength(2);
    expect(scripted.requests()[0]?.params).toMatchObject({ headers: [] });
    expect(scripted.requests()[0]?.params).not.toHaveProperty("timeoutMs");
  });

  it("has an error that names fetch, and the line of its caller", async () => {
    const failure = (await failureOf(
      (async function callerOfFetch() {
        await real.client.fetch("http://127.0.0.1:1/");
      })(),
    )) as Error;
    expect(failure).toMatchObject({ code: "ERR_SERVER", operation: "fetch" });
    expect(failure.message).toMatch(/^fetch: /);
    expect(failure.stack?.split("\n").slice(0, 11).join("\n")).toContain("callerOfFetch");
  });

  it("names the invalid header", async () => {
    const failure = await failureOf(real.client.fetch(origin.url, { headers: { "X-Odd": "\n a\0" } }));
    expect(failure).toMatchObject({
      message: "fetch: headers must be valid HTTP headers, got an invalid value for X-Odd",
    });
  });

  it("to an origin that refuses the connection rejects with the server's message, without the query", async () => {
    const target = "http://127.0.0.1:1/path?token=hunter2";
    const failure = await failureOf(real.client.fetch(target));
    expect(failure).toMatchObject({ code: "ERR_SERVER", rpcCode: -32603, delivery: "answered" });
    expect(String(failure)).toContain("http://127.0.0.1:1/path");
    expectNoneShown(failure, ["hunter2"]);
  });
});
