import { expect, it } from "vitest";
import { ClosedError, DisconnectedError, ProtocolError } from "../../src/errors/connection.ts";
import { failureOfCall, serverError } from "../../src/rpc/errors.ts";

it.each([
  ["file already exists", "already-exists"],
  ["File exists (os error 17)", "already-exists"],
  ["path is not a file", "not-a-file"],
  ["Is a directory (os error 21)", "not-a-file"],
  ["Not a directory (os error 20)", "not-a-directory"],
  ["Directory not empty (os error 39)", "not-empty"],
  ["No such file or directory (os error 2)", "not-found"],
  ["Das System kann die Datei nicht finden. (os error 2)", "not-found"],
  ["Zugriff verweigert (os error 13)", "permission-denied"],
  ["process not found", "not-found"],
  ["no viable candidates found in PATH", "not-found"],
  ["Permission denied (os error 13)", "permission-denied"],
  ["something else (os error 22)", undefined],
  ["something else (os error 130)", undefined],
])("derives the kind from the message: %s", (message, kind) => {
  expect(serverError({ code: -32603, message }, "fs/readFile", "s").kind).toBe(kind);
});

it.each([
  [-32601, "boom", "unsupported"],
  [-32601, "method not found", "unsupported"],
  [-32004, "boom", "not-found"],
  [-32600, "boom", "invalid"],
  [-32602, "boom", "invalid"],
  [-32602, "no such file", "not-found"],
  [-32603, "boom", undefined],
])("derives the kind from the code: %i with %s", (code, message, kind) => {
  expect(serverError({ code, message }, "fs/readFile", "s").kind).toBe(kind);
});

it("names the rejected method, and keeps the server's code, message and data", () => {
  expect(
    serverError({ code: -1, message: "boom", data: { a: 1 } }, "fs/readFile", "session-1"),
  ).toMatchObject({
    message: "The exec-server rejected fs/readFile (-1): boom",
    rpcCode: -1,
    data: { a: 1 },
    sessionId: "session-1",
    delivery: "answered",
  });
});

it("the failure of a call has every detail of the connection's failure, and its own delivery", () => {
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
