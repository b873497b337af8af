import { Readable } from "node:stream";
import { runInNewContext } from "node:vm";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
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
afterEach(() => void vi.unstubAllGlobals());

const post = (body: unknown, init: RequestInit = {}) =>
  real.client.fetch(origin.url, { method: "POST", body: body as BodyInit, ...init });

/** A value of another realm: made by the class's own methods, but no instance of the class here. */
function foreign<T extends object>(value: T): T {
  const own = Object.create(null) as Record<PropertyKey, unknown>;
  for (
    let prototype = value;
    prototype && prototype !== Object.prototype;
    prototype = Object.getPrototypeOf(prototype) as T
  ) {
    for (const name of Reflect.ownKeys(prototype)) {
      if (name in own || name === "constructor") continue;
      const member = Reflect.get(value, name) as unknown;
      const descriptor: PropertyDescriptor =
        typeof member === "function"
          ? { value: member.bind(value) }
          : { get: () => Reflect.get(value, name) };
      Object.defineProperty(own, name, descriptor);
    }
  }
  return own as T;
}

describe("a request of another realm", () => {
  it.each<[string, unknown, string]>([
    ["bytes", runInNewContext("Uint8Array.of(97, 98, 99)"), ""],
    ["a view of other numbers", runInNewContext("Uint16Array.of(0x6261)"), ""],
    ["a buffer", runInNewContext("Uint8Array.of(97, 98, 99).buffer"), ""],
    ["a Blob", foreign(new Blob(["abc"], { type: "image/x" })), "image/x"],
    [
      "search params",
      foreign(new URLSearchParams({ a: "1 2" })),
      "application/x-www-form-urlencoded;charset=UTF-8",
    ],
    ["a stream", foreign(new Blob(["abc"]).stream()), ""],
    [
      "a stream of another realm's bytes",
      new ReadableStream({
        start(controller) {
          controller.enqueue(runInNewContext("Uint8Array.of(97, 98, 99)"));
          controller.close();
        },
      }),
      "",
    ],
    ["a stream of Node", Readable.from([Buffer.from("ab"), Buffer.from("c")]), ""],
  ])("can have a body that is %s", async (name, body, type) => {
    await post(body);
    const expected = name === "search params" ? "a=1+2" : name === "a view of other numbers" ? "ab" : "abc";
    expect(origin.latest.body.toString()).toBe(expected);
    expect(origin.header("content-type")).toEqual(type ? [type] : []);
  });

  it("can have a form as body, with fields and files", async () => {
    const form = new FormData();
    form.set("field", "value");
    form.set("file", new Blob(["abc"], { type: "image/x" }), "a.bin");
    const other = {
      [Symbol.toStringTag]: "FormData",
      *[Symbol.iterator]() {
        for (const [name, value] of form) yield [name, typeof value === "string" ? value : foreign(value)];
      },
    };
    await post(other);
    const [type = ""] = origin.header("content-type");
    const arrived = await new Response(new Uint8Array(origin.latest.body), {
      headers: { "content-type": type },
    }).formData();
    expect(arrived.get("field")).toBe("value");
    const file = arrived.get("file") as File;
    expect([file.name, file.type, await file.text()]).toEqual(["a.bin", "image/x", "abc"]);
  });

  it("can have a Blob that only the page's FileReader can read, as in jsdom", async () => {
    const blob = { [Symbol.toStringTag]: "Blob", size: 3, type: "image/x" };
    expect(await failureOf(post(blob))).toMatchObject({ code: "ERR_INVALID_ARGUMENT", operation: "fetch" });
    vi.stubGlobal(
      "FileReader",
      class {
        result: ArrayBuffer | undefined;
        onload = () => {};
        readAsArrayBuffer() {
          this.result = runInNewContext("Uint8Array.of(97, 98, 99).buffer") as ArrayBuffer;
          queueMicrotask(() => this.onload());
        }
      },
    );
    await post(blob);
    expect(origin.latest.body.toString()).toBe("abc");
    expect(origin.header("content-type")).toEqual(["image/x"]);
  });

  it("can be a URL or a Request", async () => {
    await real.client.fetch(foreign(new URL(`${origin.url}/a?b`)));
    expect(origin.latest.url).toBe("/a?b");
    const request = new Request(`${origin.url}/c`, { method: "PUT", body: "abc", headers: { "x-a": "1" } });
    await real.client.fetch(foreign(request));
    expect(origin.latest).toMatchObject({ method: "PUT", url: "/c", body: Buffer.from("abc") });
    expect(origin.header("x-a")).toEqual(["1"]);
  });

  it("can be a Request that hides its body, as in Firefox", async () => {
    const request = new Request(origin.url, { method: "POST", body: "abc" });
    Object.defineProperty(request, "body", { value: undefined });
    await real.client.fetch(request);
    expect(origin.latest.body.toString()).toBe("abc");
  });

  it("can have a signal, which is honoured before, during and after the headers", async () => {
    const abort = (controller: AbortController, reason: unknown) => controller.abort(reason);
    const controllers = [0, 1, 2].map(() => new AbortController());
    const signals = controllers.map(({ signal }) => foreign(signal));
    abort(controllers[0] as AbortController, "before");
    expect(await failureOf(post("x", { signal: signals[0] as AbortSignal }))).toBe("before");
    origin.answer = () => abort(controllers[1] as AbortController, "during");
    expect(await failureOf(post("x", { signal: signals[1] as AbortSignal }))).toBe("during");
    origin.answer = (response) => response.end("late");
  });
});

describe("a body that is none", () => {
  it.each<[string, unknown]>([
    ["an object", { a: 1 }],
    [
      "a form of the form-data package",
      Object.assign(new (class FormData {})(), { [Symbol.toStringTag]: "FormData" }),
    ],
    ["a Blob without any way to read it", { [Symbol.toStringTag]: "Blob", size: 1, type: "" }],
  ])("is refused before anything is sent: %s", async (_, body) => {
    const before = origin.requests.length;
    expect(await failureOf(post(body))).toMatchObject({
      code: "ERR_INVALID_ARGUMENT",
      message: expect.stringMatching(/^fetch: body must be a string, bytes, a Blob, .* got /),
    });
    expect(origin.requests).toHaveLength(before);
  });
});
