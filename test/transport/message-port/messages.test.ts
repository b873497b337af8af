import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../../src/errors/connection.ts";
import {
  type PortMessage,
  parsePortMessage,
  portMessage,
} from "../../../src/transport/message-port/messages.ts";

describe("parsePortMessage()", () => {
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
  ])("returns a message as it was posted: %o", (message) => {
    expect(parsePortMessage(structuredClone(portMessage(message)))).toMatchObject(message);
  });

  const valid = { protocol: "exec-server-port/1" };

  it.each([
    ["undefined", undefined],
    ["null", null],
    ["a number", 1],
    ["a frame", "{}"],
    ["bytes", new Uint8Array(8)],
    ["an array", [{ ...valid, type: "ping" }]],
    ["a Map", new Map(Object.entries({ ...valid, type: "ping" }))],
    ["an Error", new Error("ping")],
    ["a message without a protocol", { type: "ping" }],
    ["an unknown type", { ...valid, type: "unknown" }],
    ["no type", valid],
    ["an attempt that is not a number", { ...valid, type: "hello", attempt: "1" }],
    ["a length that is not a number", { ...valid, type: "received", length: Number.NaN }],
    ["a reason that is not a string", { ...valid, type: "goodbye", reason: { toString: "x" } }],
    ["a close code that is not a number", { ...valid, type: "goodbye", closeCode: "1000" }],
    ["an error that is not an object", { ...valid, type: "goodbye", error: "text" }],
    ["another protocol", { protocol: "exec-server-portal/1", type: "ping" }],
  ])("throws a ProtocolError for %s", (_, data) => {
    expect(() => parsePortMessage(data)).toThrow(ProtocolError);
    expect(() => parsePortMessage(data)).toThrow("exec-server-sdk did not send on this port");
  });

  it("reports another version of the protocol", () => {
    expect(() => parsePortMessage({ protocol: "exec-server-port/2", type: "hello" })).toThrow(
      "different versions",
    );
  });
});
