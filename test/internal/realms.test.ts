import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import {
  isArrayBuffer,
  isBlob,
  isReadableStream,
  isUint8Array,
  isUrl,
  viewOf,
} from "../../src/internal/realms.ts";

const foreign = (code: string): unknown => runInNewContext(code);

it.each([
  ["isUint8Array", isUint8Array, [new Uint8Array(1), Buffer.alloc(1), foreign("new Uint8Array(1)")]],
  ["isArrayBuffer", isArrayBuffer, [new ArrayBuffer(1), foreign("new ArrayBuffer(1)")]],
  ["isUrl", isUrl, [new URL("file:///a"), { [Symbol.toStringTag]: "URL", href: "file:///a" }]],
  ["isReadableStream", isReadableStream, [new ReadableStream(), { getReader() {} }]],
  ["isBlob", isBlob, [new Blob(["a"]), new File(["a"], "a")]],
] as const)("%s accepts values of this and of other realms, and nothing else", (_, check, values) => {
  for (const value of values) expect(check(value)).toBe(true);
  for (const value of [
    undefined,
    null,
    "text",
    1,
    {},
    [],
    new Uint16Array(1),
    new DataView(new ArrayBuffer(1)),
  ]) {
    expect(check(value)).toBe(false);
  }
});

describe("viewOf", () => {
  it.each([
    ["a Uint8Array", new Uint8Array([1, 2, 3, 4])],
    ["a Buffer", Buffer.from([1, 2, 3, 4])],
    ["an ArrayBuffer", new Uint8Array([1, 2, 3, 4]).buffer],
    ["a DataView", new DataView(new Uint8Array([0, 1, 2, 3, 4]).buffer, 1)],
    ["a Uint16Array", new Uint16Array(new Uint8Array([1, 2, 3, 4]).buffer)],
    ["a Uint8Array of another realm", foreign("new Uint8Array([1, 2, 3, 4])")],
    ["an ArrayBuffer of another realm", foreign("new Uint8Array([1, 2, 3, 4]).buffer")],
  ])("returns the bytes of %s", (_, value) => {
    const view = viewOf(value);
    expect(view).toBeInstanceOf(Uint8Array);
    expect([...(view as Uint8Array)]).toEqual([1, 2, 3, 4]);
  });

  it("shares the memory", () => {
    const buffer = new ArrayBuffer(1);
    new Uint8Array(buffer)[0] = 7;
    expect(viewOf(buffer)?.buffer).toBe(buffer);
  });

  it.each([undefined, null, "text", 1, {}, [1]])("returns undefined for %j", (value) => {
    expect(viewOf(value)).toBeUndefined();
  });
});
