import { PassThrough, Writable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { Log } from "../../../src/gateway/command/log.ts";
import type { GatewayEvent } from "../../../src/gateway.ts";
import { ConnectError } from "../../../src/index.ts";

const EVENT: GatewayEvent = {
  type: "refused",
  id: "7",
  at: Date.UTC(2030, 0, 1),
  address: "192.0.2.1",
  origin: "https://evil.example",
  reason: "origin",
  status: 403,
  bytes: 0,
  bytesFromPage: 0,
  durationMs: 3,
};

function textOf(format: "text" | "json", ...events: readonly GatewayEvent[]): string {
  const output = new PassThrough();
  const log = new Log(output, format);
  for (const event of events) log.page(event);
  return String(output.read());
}

test("logs a refusal as text, with what would admit the page", () => {
  expect(textOf("text", EVENT)).toBe(
    "refused https://evil.example 403 origin address=192.0.2.1 ms=3 id=7 (--origin https://evil.example would admit it)\n",
  );
  expect(textOf("text", { ...EVENT, reason: "host", host: "gate.example:80" })).toContain(
    "host=gate.example:80 address=192.0.2.1 ms=3 id=7 (--host gate.example would admit it)",
  );
});

test("logs an event as one line of JSON", () => {
  const line = textOf("json", { ...EVENT, type: "closed", reason: "page", user: "ada", closeCode: 1000 });
  expect(line.endsWith("}\n")).toBe(true);
  expect(JSON.parse(line)).toEqual({
    time: "2030-01-01T00:00:00.000Z",
    event: "closed",
    id: "7",
    address: "192.0.2.1",
    origin: "https://evil.example",
    reason: "page",
    user: "ada",
    status: 403,
    closeCode: 1000,
    bytes: 0,
    bytesFromPage: 0,
    durationMs: 3,
  });
});

test.each(["text", "json"] as const)("keeps foreign text from forging a line or a field in %s", (format) => {
  const line = textOf(format, { ...EVENT, origin: 'a\nclosed "b" user=root' });
  expect(line.indexOf("\n")).toBe(line.length - 1);
  expect(line).toContain('a\\nclosed \\"b\\" user=root');
});

test("logs the messages of its own errors only: others can hold secrets", () => {
  const own = new ConnectError("Could not connect", { phase: "dial" });
  expect(textOf("text", { ...EVENT, error: own })).toContain(": Could not connect\n");
  const foreign = Object.assign(new Error("with s3cret"), { code: "E_FOREIGN" });
  expect(textOf("text", { ...EVENT, error: foreign })).toMatch(/: Error E_FOREIGN\n$/);
});

test("drops and counts lines while a reader is stuck, and after it is gone", async () => {
  const stuck = new Writable({ write() {} });
  const log = new Log(stuck, "text");
  const long = { ...EVENT, origin: "x".repeat(100_000) };
  for (let n = 0; n < 100; n++) log.page(long);
  expect(stuck.writableLength).toBeLessThan(1.5 * 1024 * 1024);
  expect(log.lost).toBeGreaterThan(80);
  const gone = new PassThrough();
  gone.on("error", () => {});
  const second = new Log(gone, "text");
  gone.destroy(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
  await setImmediate();
  second.page(EVENT);
  expect(second.lost).toBe(1);
});
