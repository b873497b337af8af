import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RemoteRequestInit } from "../../src/index.ts";
import { failureOf } from "../support/failure.ts";
import type { Origin } from "../support/origin.ts";
import { realHttp } from "../support/real-http.ts";

let real: Awaited<ReturnType<typeof realHttp>>;
let origin: Origin;
beforeAll(async () => {
  real = await realHttp();
  origin = real.origin;
});
afterAll(() => real[Symbol.asyncDispose]());

const MiB = 1024 * 1024;
const BYTES = Uint8Array.of(0, 255, 10, 128);

function streamOf(...chunks: unknown[]): ReadableStream {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

const post = (body: BodyInit | null, init: RequestInit = {}) =>
  real.client.fetch(origin.url, { method: "POST", body, ...init });

describe("the body of a request", () => {
  it("has the bytes that it had when fetch() was called", async () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const posting = post(bytes);
    bytes.fill(0);
    await posting;
    expect([...origin.latest.body]).toEqual([1, 2, 3]);
  });

  it.each<[string, BodyInit | null, string | Uint8Array, string[]]>([
    ["a string", "grüße", "grüße", ["text/plain;charset=UTF-8"]],
    ["an empty string", "", "", ["text/plain;charset=UTF-8"]],
    ["bytes", BYTES, BYTES, []],
    ["a part of a buffer", BYTES.subarray(1, 3), BYTES.subarray(1, 3), []],
    ["an ArrayBuffer", BYTES.buffer, BYTES, []],
    ["a Blob with a type", new Blob([BYTES], { type: "image/x" }), BYTES, ["image/x"]],
    ["a Blob without one", new Blob([BYTES]), BYTES, []],
    [
      "URLSearchParams",
      new URLSearchParams({ a: "1 2" }),
      "a=1+2",
      ["application/x-www-form-urlencoded;charset=UTF-8"],
    ],
    ["a stream of bytes", streamOf(BYTES, BYTES), Buffer.concat([BYTES, BYTES]), []],
    ["null", null, "", []],
  ])("can be %s", async (_, body, bytes, types) => {
    await post(body);
    expect(origin.latest.body).toEqual(Buffer.from(bytes));
    expect(origin.header("content-type")).toEqual(types);
  });

  it.each<[string, RequestInit, string[]]>([
    ["0 for a POST without a body", { method: "POST" }, ["0"]],
    ["0 for a PUT without a body", { method: "PUT" }, ["0"]],
    ["0 for an empty body", { method: "PATCH", body: "" }, ["0"]],
    ["none for a GET", { method: "GET" }, []],
    ["none for a DELETE without a body", { method: "DELETE" }, []],
    ["its own for a body", { method: "POST", body: "grüße" }, ["7"]],
    [
      "the given one, if it is right",
      { method: "POST", body: "abc", headers: { "Content-Length": "3" } },
      ["3"],
    ],
    ["the given 0 of a body that is missing", { method: "POST", headers: { "content-length": "0" } }, ["0"]],
  ])("has a content-length: %s", async (_, init, expected) => {
    await real.client.fetch(origin.url, init);
    expect(origin.header("content-length")).toEqual(expected);
  });

  it.each<[string, RemoteRequestInit]>([
    ["too long", { body: "abc", headers: { "Content-Length": "4" } }],
    ["too short", { body: "abc", headers: [["content-length", "2"]] }],
    [
      "given twice, once wrong",
      {
        body: "abc",
        headers: [
          ["content-length", "3"],
          ["content-length", "33"],
        ],
      },
    ],
    ["no number", { body: "abc", headers: { "content-length": "three" } }],
    ["of a missing body", { headers: { "content-length": "3" } }],
    ["read from a variable", { body: "abc", headersFromEnv: { "Content-Length": "LENGTH" } }],
  ])("is refused with a content-length that is %s", async (_, init) => {
    const before = origin.requests.length;
    const failure = await failureOf(real.client.fetch(origin.url, { method: "POST", ...init }));
    expect(failure).toMatchObject({
      code: "ERR_INVALID_ARGUMENT",
      delivery: "not-sent",
      operation: "fetch",
      message: expect.stringContaining("content-length"),
    });
    expect(origin.requests).toHaveLength(before);
  });

  it("is encoded as TextEncoder does if it is text that is not well-formed", async () => {
    await post("a\ud800b");
    expect(origin.latest.body).toEqual(Buffer.from("a\ufffdb"));
  });

  it("is refused when it is a stream that was read before", async () => {
    const stream = streamOf(BYTES);
    const reader = stream.getReader();
    await reader.read();
    reader.releaseLock();
    expect(await failureOf(post(stream))).toMatchObject({ code: "ERR_INVALID_ARGUMENT" });
  });

  it("can be a form, with its boundary in the content type", async () => {
    const form = new FormData();
    form.set("field", "value");
    form.set("file", new Blob([BYTES], { type: "image/x" }), "näme.bin");
    await post(form);
    const [type = ""] = origin.header("content-type");
    expect(type).toMatch(/^multipart\/form-data; boundary=\S+$/);
    const arrived = await new Response(new Uint8Array(origin.latest.body), {
      headers: { "content-type": type },
    }).formData();
    expect(arrived.get("field")).toBe("value");
    const file = arrived.get("file") as File;
    expect([file.name, file.type, ...new Uint8Array(await file.arrayBuffer())]).toEqual([
      "näme.bin",
      "image/x",
      ...BYTES,
    ]);
  });

  it("has the given content type instead of its default one", async () => {
    await post("{}", { headers: { "Content-Type": "application/json" } });
    expect(origin.header("content-type")).toEqual(["application/json"]);
    await post(new Blob(["x"], { type: "image/x" }), { headers: [["CONTENT-TYPE", "text/y"]] });
    expect(origin.header("content-type")).toEqual(["text/y"]);
  });

  it("can have 11 MiB", async () => {
    await post(new Uint8Array(11 * MiB).fill(7));
    expect(origin.latest.body).toHaveLength(11 * MiB);
    expect(origin.latest.body.at(-1)).toBe(7);
  });

  it("is refused beyond 11 MiB before it is sent, and the connection stays usable", async () => {
    const before = origin.requests.length;
    for (const body of [new Uint8Array(12 * MiB), "x".repeat(12 * MiB), new Uint8Array(11 * MiB + 1)]) {
      expect(await failureOf(post(body))).toMatchObject({ code: "ERR_TOO_LARGE", delivery: "not-sent" });
    }
    expect(origin.requests).toHaveLength(before);
    expect(await real.client.status()).toEqual({ status: "ready" });
  });

  it("that never ends is refused and cancelled, even if its cancel never settles", async () => {
    let wasCancelled = false;
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(MiB)),
      cancel() {
        wasCancelled = true;
        return new Promise(() => {});
      },
    });
    expect(await failureOf(post(endless))).toMatchObject({ code: "ERR_TOO_LARGE" });
    expect(wasCancelled).toBe(true);
  });

  it("that fails rejects the request with the same error, and nothing is sent", async () => {
    const before = origin.requests.length;
    const broken = new Error("disk on fire");
    const body = new ReadableStream({ pull: (controller) => controller.error(broken) });
    expect(await failureOf(post(body))).toBe(broken);
    expect(origin.requests).toHaveLength(before);
  });

  it.each<[string, () => ReadableStream]>([
    ["a stream of strings", () => streamOf("text")],
    [
      "a locked stream",
      () => {
        const stream = streamOf(BYTES);
        stream.getReader();
        return stream;
      },
    ],
  ])("is refused when it is %s", async (_, make) => {
    const before = origin.requests.length;
    expect(await failureOf(post(make()))).toMatchObject({
      code: "ERR_INVALID_ARGUMENT",
      delivery: "not-sent",
    });
    expect(origin.requests).toHaveLength(before);
  });

  it("that never settles ends with the signal or timeoutMs, and is cancelled", async () => {
    const reasons: unknown[] = [];
    const hanging = () => new ReadableStream({ cancel: (reason) => void reasons.push(reason) });
    const controller = new AbortController();
    const aborted = failureOf(post(hanging(), { signal: controller.signal }));
    controller.abort("enough");
    expect(await aborted).toBe("enough");
    const late = await failureOf(
      real.client.fetch(origin.url, { method: "POST", body: hanging(), timeoutMs: 20 }),
    );
    expect(late).toMatchObject({ code: "ERR_TIMEOUT", delivery: "not-sent" });
    expect(reasons).toEqual(["enough", late]);
  });
});
