import { expect, it } from "vitest";
import { ClosedError, DisconnectedError, ProtocolError } from "../../src/errors.ts";
import { failureOfCall } from "../../src/rpc/failure.ts";

it("a call's failure tells all that the connection's does, and what became of the call", () => {
  const cause = new ProtocolError("nonsense");
  const lost = new DisconnectedError("cable cut", { sessionId: "s", closeCode: 1006, cause });
  expect(failureOfCall(lost, "unknown")).toMatchObject({
    code: "ERR_DISCONNECTED",
    reason: "cable cut",
    sessionId: "s",
    closeCode: 1006,
    cause: { code: "ERR_PROTOCOL", message: cause.message },
    delivery: "unknown",
  });
  expect(failureOfCall(new ClosedError({ sessionId: "s" }), "not-sent")).toMatchObject({
    code: "ERR_CLOSED",
    sessionId: "s",
    delivery: "not-sent",
  });
});
