import { expect, it } from "vitest";
import { type ClientOptions, ExecServerClient, LazyExecServerClient } from "../../src/index.ts";
import { TestServer } from "../../src/testing.ts";
import { failureOf } from "../support/failure.ts";

const { transport } = new TestServer();

it.each<[name: string, options: object, message: string]>([
  ["a missing transport", {}, "transport must be a transport, for example webSocket(url), got undefined"],
  [
    "a URL as transport",
    { transport: "ws://user:secret@host" },
    "transport must be a transport, for example webSocket(url), got a string",
  ],
  [
    "an unknown option",
    { transport, timeoutMs: 5 },
    'has no option "timeoutMs"; its options are transport, clientName, connectTimeoutMs, initializeTimeoutMs, keepAlive, onNetworkPolicyRequest, traceContext',
  ],
  [
    "a keepAlive that is a string",
    { transport, keepAlive: "yes" },
    "keepAlive must be a boolean or an object, got a string",
  ],
  [
    "an unknown option of keepAlive",
    { transport, keepAlive: { interval: 5 } },
    'keepAlive has no option "interval"; its options are intervalMs, timeoutMs',
  ],
  [
    "a traceContext that is an object",
    { transport, traceContext: {} },
    "traceContext must be a function, got an object",
  ],
  [
    "a connectTimeoutMs of zero",
    { transport, connectTimeoutMs: 0 },
    "connectTimeoutMs must be a positive number of milliseconds, got 0",
  ],
  [
    "an initializeTimeoutMs that is NaN",
    { transport, initializeTimeoutMs: Number.NaN },
    "initializeTimeoutMs must be a positive number of milliseconds, got NaN",
  ],
  [
    "a keepAlive.intervalMs of zero",
    { transport, keepAlive: { intervalMs: 0 } },
    "keepAlive: intervalMs must be a positive number of milliseconds, got 0",
  ],
  [
    "a negative keepAlive.timeoutMs",
    { transport, keepAlive: { timeoutMs: -1 } },
    "keepAlive: timeoutMs must be a positive number of milliseconds, got -1",
  ],
  [
    "a keepAlive.timeoutMs that is a string",
    { transport, keepAlive: { timeoutMs: "5" } },
    "keepAlive: timeoutMs must be a positive number of milliseconds, got a string",
  ],
])("both clients reject %s before anything is dialled", async (_, options, message) => {
  const usageError = expect.objectContaining({
    code: "ERR_INVALID_ARGUMENT",
    message: expect.stringContaining(message),
  });
  expect(() => new LazyExecServerClient(options as ClientOptions)).toThrow(usageError);
  expect(await failureOf(ExecServerClient.connect(options as ClientOptions))).toEqual(usageError);
});
