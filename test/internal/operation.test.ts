import { describe, expect, it } from "vitest";
import { DisconnectedError, TimeoutError } from "../../src/errors/connection.ts";
import { ServerError } from "../../src/errors/server.ts";
import { UsageError } from "../../src/errors/usage.ts";
import { attribute, inOperation, markShared, shownText } from "../../src/internal/operation.ts";
import { failureOf } from "../support/failure.ts";

const READ = { operation: "readFile", path: "/a b" };
const rejection = async (error: unknown): Promise<never> => {
  await new Promise((resolve) => setImmediate(resolve));
  throw error;
};

describe("inOperation", () => {
  it("names operation and object in the fields and in the message of an error", async () => {
    const error = new TimeoutError("ERR_TIMEOUT", "No answer within 5 ms");
    expect(await failureOf(inOperation(READ, undefined, () => rejection(error)))).toBe(error);
    expect(error).toMatchObject({ ...READ, message: "readFile '/a b': No answer within 5 ms" });
  });

  it("says what a kind of server error means", async () => {
    const error = new ServerError("The exec-server rejected fs/readFile (-32004): boom", {
      rpcCode: -32004,
      kind: "not-found",
    });
    await failureOf(inOperation(READ, undefined, () => rejection(error)));
    expect(error.message).toBe(
      "readFile '/a b': not found. The exec-server rejected fs/readFile (-32004): boom",
    );
  });

  it("puts the line of the caller into the stack", async () => {
    const error = new DisconnectedError("cable cut");
    async function readFile() {
      return await inOperation(READ, undefined, () => rejection(error));
    }
    async function theCaller() {
      await readFile();
    }
    await failureOf(theCaller());
    const frames = (error.stack ?? "").split("\n").filter((line) => line.startsWith("    at "));
    const index = frames.findIndex((line) => line.includes("theCaller"));
    expect(index).toBeGreaterThanOrEqual(0);
    expect(index).toBeLessThan(10);
    expect(error.stack).toContain("readFile '/a b': The exec-server connection ended: cable cut");
  });

  it("keeps the innermost operation", async () => {
    const error = new DisconnectedError("cable cut");
    const inner = () => inOperation({ operation: "run", program: "stty" }, undefined, () => rejection(error));
    await failureOf(inOperation({ operation: "resize" }, undefined, inner));
    expect(error).toMatchObject({ operation: "run", program: "stty" });
    expect(error).not.toHaveProperty("path");
  });

  it("changes nothing about the reason of the caller's abort, a shared error, or another library's error", async () => {
    const controller = new AbortController();
    const reason = new DisconnectedError("the caller's own");
    controller.abort(reason);
    const all = new DisconnectedError("for all");
    markShared(all);
    const foreign = new TypeError("foreign");
    for (const error of [reason, all, foreign, "text", undefined]) {
      const before = error instanceof Error ? [error.message, error.stack] : error;
      expect(await failureOf(inOperation(READ, controller.signal, () => rejection(error)))).toBe(error);
      expect(error instanceof Error ? [error.message, error.stack] : error).toEqual(before);
      expect(Object(error)).not.toHaveProperty("operation");
    }
  });

  it("begins in the same turn, and resolves with the result", async () => {
    const order: string[] = [];
    const done = inOperation(READ, undefined, async () => order.push("begun"));
    order.push("called");
    expect(await done).toBe(1);
    expect(order).toEqual(["begun", "called"]);
  });
});

it("attribute() does not repeat the method in the message of a check of options", () => {
  const error = new UsageError("ERR_INVALID_ARGUMENT", "readFile(): encoding must be a string, got 5");
  attribute(error, READ);
  expect(error).toMatchObject({ ...READ, message: "readFile(): encoding must be a string, got 5" });
});

it("attribute() leaves out what is not given", () => {
  const error = new DisconnectedError("cable cut");
  attribute(error, { operation: "status", path: undefined });
  expect(error.message).toBe("status: The exec-server connection ended: cable cut");
  expect(error).not.toHaveProperty("path");
});

it.each([
  ["a b", "a b"],
  ["a\r\n\u001b[31mb\u0000", "a [31mb "],
  ["x".repeat(200), "x".repeat(200)],
  ["x".repeat(201), `${"x".repeat(199)}…`],
  [`${"x".repeat(198)}😀 and more`, `${"x".repeat(198)}\ufffd…`],
  ["an emoji cut in half: \ud83d, and a whole one: 😀", "an emoji cut in half: \ufffd, and a whole one: 😀"],
  ["https://user:pass@host/x?token=1", "https://host/x"],
])("shownText() makes %j fit for a message", (text, shown) => {
  expect(shownText(text)).toBe(shown);
});
