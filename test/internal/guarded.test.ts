import { expect, it } from "vitest";
import { guarded } from "../../src/internal/guarded.ts";

it("passes the arguments and returns the result", () => {
  expect(guarded((a: number, b: number) => a + b, 1, 2)).toBe(3);
});

it("ignores an error that the callback throws", () => {
  expect(
    guarded(() => {
      throw new Error("the callback's own");
    }),
  ).toBeUndefined();
});

// An unhandled rejection fails the test run.
it.each([
  ["an async callback", async () => Promise.reject(new Error("the callback's own"))],
  // biome-ignore lint/suspicious/noThenProperty: the form of promises of other libraries and realms
  ["a thenable", () => ({ then: (_: unknown, reject: (error: Error) => void) => reject(new Error("no")) })],
])("ignores the rejection of %s", async (_, callback) => {
  guarded(callback as () => unknown);
  await new Promise((resolve) => setImmediate(resolve));
});
