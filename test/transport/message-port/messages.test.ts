import { expect, it } from "vitest";
import { ProtocolError } from "../../../src/errors.ts";
import {
  type PortMessage,
  parsePortMessage,
  portMessage,
} from "../../../src/transport/message-port/messages.ts";

it.each<PortMessage>([
  { type: "hello", attempt: 1 },
  { type: "opened", attempt: 1 },
  {
    type: "refused",
    attempt: 2,
    reason: "why",
    status: 401,
    closeCode: 4002,
    error: { name: "Error", code: 5, message: "" },
  },
  { type: "refused", attempt: 2, reason: "why", status: undefined, closeCode: undefined, error: undefined },
  { type: "withdrawn", attempt: 3 },
  { type: "accepted", attempt: 3 },
  { type: "goodbye" },
  { type: "goodbye", reason: "why", closeCode: 1000, error: { name: "Error", message: "" } },
  { type: "received", length: 5 },
  { type: "flush" },
  { type: "flushed" },
  { type: "ping" },
  { type: "pong" },
])("comes over as it was posted: %o", (message) => {
  expect(parsePortMessage(structuredClone(portMessage(message)))).toMatchObject(message);
});

const ours = { protocol: "exec-server-port/1" };

it.each([
  ["nothing", undefined],
  ["null", null],
  ["a number", 1],
  ["a frame where there is none yet", "{}"],
  ["bytes", new Uint8Array(8)],
  ["a list", [{ ...ours, type: "ping" }]],
  ["a map", new Map(Object.entries({ ...ours, type: "ping" }))],
  ["an error", new Error("ping")],
  ["somebody else's message", { type: "ping" }],
  ["an unknown type", { ...ours, type: "shout" }],
  ["no type", ours],
  ["an attempt that is no number", { ...ours, type: "hello", attempt: "1" }],
  ["a length that is none", { ...ours, type: "received", length: Number.NaN }],
  ["a reason that is no text", { ...ours, type: "goodbye", reason: { toString: "x" } }],
  ["a close code that is none", { ...ours, type: "goodbye", closeCode: "1000" }],
  ["an error that is none", { ...ours, type: "goodbye", error: "oh" }],
  ["another protocol", { protocol: "exec-server-portal/1", type: "ping" }],
])("takes nothing else for a message: %s", (_, data) => {
  expect(() => parsePortMessage(data)).toThrow(ProtocolError);
  expect(() => parsePortMessage(data)).toThrow("Something else than this SDK");
});

it("says so when the other side is of another version", () => {
  expect(() => parsePortMessage({ protocol: "exec-server-port/2", type: "hello" })).toThrow(
    "different versions",
  );
});
