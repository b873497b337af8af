import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { failureOf } from "../support/failure.ts";
import type { Origin, OriginAnswer } from "../support/origin.ts";
import { realHttp } from "../support/real-http.ts";
import { OK, scriptedFetch } from "../support/scripted-fetch.ts";
import { QuietServer, ready } from "../support/scripted-server.ts";

let real: Awaited<ReturnType<typeof realHttp>>;
let origin: Origin;
beforeAll(async () => {
  real = await realHttp();
  origin = real.origin;
});
afterAll(() => real[Symbol.asyncDispose]());

function fetchFrom(answer: OriginAnswer, init?: RequestInit) {
  origin.answer = answer;
  return real.client.fetch(`${origin.url}/page?q=1`, init);
}

describe("a response", () => {
  it("is a standard Response: status, ok, headers, url, body", async () => {
    const response = await fetchFrom((to) => to.writeHead(201, { "X-A": "1" }).end("made"));
    expect(response).toBeInstanceOf(Response);
    expect(response).toMatchObject({ status: 201, ok: true, bodyUsed: false, url: `${origin.url}/page?q=1` });
    expect(response.headers.get("x-a")).toBe("1");
    expect(await response.text()).toBe("made");
    expect(response.bodyUsed).toBe(true);
  });

  it("can be read as text, JSON, bytes, a Blob or a form", async () => {
    const answer: OriginAnswer = (to) => to.setHeader("content-type", "text/x").end('{"a":"ü"}');
    expect(await (await fetchFrom(answer)).text()).toBe('{"a":"ü"}');
    expect(await (await fetchFrom(answer)).json()).toEqual({ a: "ü" });
    expect((await (await fetchFrom(answer)).arrayBuffer()).byteLength).toBe(10);
    const blob = await (await fetchFrom(answer)).blob();
    expect([blob.size, blob.type]).toEqual([10, "text/x"]);
    const type = "application/x-www-form-urlencoded";
    const form = await fetchFrom((to) => to.setHeader("content-type", type).end("a=1"));
    expect((await form.formData()).get("a")).toBe("1");
  });

  it("keeps its headers as received, set-cookie and repeated ones separate", async () => {
    const response = await fetchFrom((to) =>
      to
        .writeHead(200, [
          "X-B",
          "1",
          "Set-Cookie",
          "a=1; Path=/",
          "X-A",
          "2",
          "Set-Cookie",
          "b=2",
          "X-B",
          "3",
        ])
        .end(),
    );
    const ours = response.rawHeaders.filter(([name]) => /^(x-|set-)/.test(name));
    // The server groups repeated headers and writes names in lower case.
    expect(ours).toEqual([
      ["x-b", "1"],
      ["x-b", "3"],
      ["set-cookie", "a=1; Path=/"],
      ["set-cookie", "b=2"],
      ["x-a", "2"],
    ]);
    expect(response.headers.get("x-b")).toBe("1, 3");
    expect(response.headers.getSetCookie()).toEqual(["a=1; Path=/", "b=2"]);
  });

  it("lacks headers whose value is not ASCII, because the server drops them, but keeps unusual ones", async () => {
    const response = await fetchFrom((to) => {
      const lines = ["HTTP/1.1 200 OK", "x-latin: caf\xe9", "x-tab: a\tb", "x-empty:", "content-length: 0"];
      to.socket?.end(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
    });
    expect(response.rawHeaders).toEqual([
      ["x-tab", "a\tb"],
      ["x-empty", ""],
      ["content-length", "0"],
    ]);
  });

  it("has headers that a Headers object refuses in rawHeaders only", async () => {
    const headers = [
      { name: "no header", value: "1" },
      { name: "x-euro", value: "€" },
      { name: "x-lines", value: "a\nb" },
      { name: "x-fine", value: "1" },
    ];
    const server = new QuietServer();
    server.handle("http/request", () => ({ ...OK, headers }));
    await using scripted = await scriptedFetch(server);
    const response = await scripted.client.fetch(scripted.url);
    expect([...response.headers]).toEqual([["x-fine", "1"]]);
    expect(response.rawHeaders).toEqual(headers.map(({ name, value }) => [name, value]));
  });

  it.each([204, 205, 304])("with status %i has no body", async (status) => {
    const response = await fetchFrom((to) => to.writeHead(status).end());
    expect(response).toMatchObject({ status, ok: status < 300, body: null });
    expect(await response.text()).toBe("");
  });

  it("to HEAD has the headers of a body, but no body", async () => {
    const response = await fetchFrom((to) => to.setHeader("content-length", 1_000).end(), { method: "HEAD" });
    expect(response).toMatchObject({ status: 200, body: null });
    expect(response.headers.get("content-length")).toBe("1000");
    expect(origin.latest.method).toBe("HEAD");
  });

  it.each([404, 500, 599, 600, 700, 999])("keeps status %i, and so does its clone", async (status) => {
    const response = await fetchFrom((to) => to.writeHead(status, ["x-a", "1"]).end("body"));
    const same = { status, ok: false, url: `${origin.url}/page?q=1`, rawHeaders: response.rawHeaders };
    const clone = response.clone();
    expect(response).toMatchObject(same);
    expect(clone).toMatchObject(same);
    expect(clone.clone()).toMatchObject(same);
    expect(clone.headers.get("x-a")).toBe("1");
    expect(await Promise.all([response.text(), clone.text()])).toEqual(["body", "body"]);
    expect(() => response.clone()).toThrow(TypeError);
  });

  it("keeps a content encoding that neither the server nor this runtime decodes", async () => {
    const compressed = Buffer.from("not really");
    const response = await fetchFrom((to) => to.setHeader("content-encoding", "compress").end(compressed));
    expect(response.headers.get("content-encoding")).toBe("compress");
    expect(Buffer.from(await response.arrayBuffer())).toEqual(compressed);
  });

  it("has the decoded body of an origin that compresses with gzip, and no content encoding", async () => {
    const response = await fetchFrom((to) => to.setHeader("content-encoding", "gzip").end(gzipSync("hello")));
    expect(response.headers.get("content-encoding")).toBeNull();
    expect(await response.text()).toBe("hello");
  });

  it.each([
    ["no status", { headers: [] }],
    ["a status that is not an integer", { ...OK, status: "200" }],
    ["headers that are not an array", { ...OK, headers: { a: "1" } }],
  ])("with %s rejects with a ProtocolError; the connection stays usable", async (_, result) => {
    const server = ready(new QuietServer());
    server.handle("http/request", () => result as never);
    await using scripted = await scriptedFetch(server);
    const failing = failureOf(scripted.client.fetch(scripted.url));
    expect(await failing).toMatchObject({ code: "ERR_PROTOCOL", delivery: "answered" });
    await scripted.seen();
  });
});

describe("a redirect", () => {
  const STATUSES = [301, 302, 303, 307, 308] as const;
  const redirecting =
    (status: number): OriginAnswer =>
    (to, { method, url, body }) =>
      url === "/there"
        ? to.end(`${method} ${body}`)
        : to.writeHead(status, { location: "/there", "x-from": "here" }).end("moved");
  const post = (redirect?: RequestRedirect) => ({ method: "POST", body: "b", ...(redirect && { redirect }) });

  it.each(STATUSES)("of status %i is followed by default; url stays the requested one", async (status) => {
    const response = await fetchFrom(redirecting(status), post());
    expect(response).toMatchObject({ status: 200, url: `${origin.url}/page?q=1` });
    expect(await response.text()).toBe(status < 307 ? "GET " : "POST b");
  });

  it.each(STATUSES)("of status %i is returned with redirect: manual", async (status) => {
    const response = await fetchFrom(redirecting(status), post("manual"));
    expect(response).toMatchObject({ status, ok: false });
    expect(response.headers.get("location")).toBe("/there");
    expect(await response.text()).toBe("moved");
    expect(origin.latest.url).toBe("/page?q=1");
  });

  it.each(STATUSES)("of status %i rejects with a TypeError with redirect: error", async (status) => {
    expect(await failureOf(fetchFrom(redirecting(status), post("error")))).toBeInstanceOf(TypeError);
    expect(origin.latest.url).toBe("/page?q=1");
  });

  it("uses the mode of a Request; 300 and 304 are not redirects", async () => {
    origin.answer = redirecting(302);
    const request = new Request(origin.url, { redirect: "error" });
    expect(await failureOf(real.client.fetch(request))).toBeInstanceOf(TypeError);
    for (const status of [300, 304]) {
      const response = await fetchFrom(redirecting(status), { redirect: "error" });
      expect(response.status).toBe(status);
    }
  });
});
