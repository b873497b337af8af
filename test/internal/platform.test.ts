import { afterEach, describe, expect, it, vi } from "vitest";
import { platformClass } from "../../src/internal/platform.ts";

afterEach(() => vi.unstubAllGlobals());

describe("platformClass()", () => {
  it("throws ERR_UNSUPPORTED for a hidden class that no module of Node has", () => {
    vi.stubGlobal("Response", undefined);
    expect(() => platformClass("Response")).toThrow(expect.objectContaining({ code: "ERR_UNSUPPORTED" }));
  });

  it("returns the global of the moment", () => {
    class Polyfill {}
    expect(platformClass("TextDecoder")).toBe(TextDecoder);
    vi.stubGlobal("TextDecoder", Polyfill);
    expect(platformClass("TextDecoder")).toBe(Polyfill);
  });

  it.each(["TextEncoder", "TextDecoder", "ReadableStream", "WritableStream"] as const)(
    "returns the %s of Node where jsdom hides the global",
    (name) => {
      const ofNode = globalThis[name];
      vi.stubGlobal(name, undefined);
      expect(platformClass(name)).toBe(ofNode);
    },
  );

  it.each([
    ["a runtime without process", undefined],
    ["an older Node", {}],
    ["a process without the module", { getBuiltinModule: () => undefined }],
  ])("throws ERR_UNSUPPORTED for a missing class in %s", (_, process) => {
    vi.stubGlobal("process", process);
    vi.stubGlobal("ReadableStream", undefined);
    expect(() => platformClass("ReadableStream")).toThrow(
      expect.objectContaining({
        code: "ERR_UNSUPPORTED",
        message: "This runtime has no ReadableStream: load a polyfill that defines it",
      }),
    );
  });
});
