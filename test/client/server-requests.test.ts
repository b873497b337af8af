import { describe, expect, it } from "vitest";
import {
  type ClientOptions,
  ExecServerClient,
  type NetworkPolicyHandler,
  webSocket,
} from "../../src/index.ts";
import { deferred } from "../../src/internal/deferred.ts";
import { ExecServer } from "../support/exec-server.ts";
import { failureOf } from "../support/failure.ts";
import { scriptedFetch } from "../support/scripted-fetch.ts";

/** A client with these options, and a server that can send it policy requests. */
async function setUp(options: Partial<ClientOptions> = {}) {
  const t = await scriptedFetch(undefined, options);
  const sendPolicyRequest = (params: unknown = PARAMS) => t.connection.ask("network/policyRequest", params);
  return { ...t, sendPolicyRequest };
}

const REQUEST = { protocol: "https_connect", host: "a.test", port: 443 };
const PARAMS = { processId: "p", request: REQUEST };
const DENIED = { decision: { type: "deny", reason: "not_allowed" } };

describe("network/policyRequest", () => {
  it("can be decided by an async handler", async () => {
    await using t = await setUp({ onNetworkPolicyRequest: async () => "allow" as const });
    expect(await t.sendPolicyRequest()).toEqual({ decision: { type: "allow" } });
  });

  it("is denied without a handler", async () => {
    await using t = await setUp();
    expect(await t.sendPolicyRequest()).toEqual(DENIED);
  });

  it("is passed to the handler, which allows or denies it", async () => {
    const requests: unknown[] = [];
    await using t = await setUp({
      onNetworkPolicyRequest(request) {
        requests.push(request);
        return request.port === 443 ? "allow" : "deny";
      },
    });
    expect(await t.sendPolicyRequest()).toEqual({ decision: { type: "allow" } });
    expect(requests).toEqual([{ processId: "p", ...REQUEST }]);
    const other = { processId: "p", request: { ...REQUEST, port: 80 } };
    expect(await t.sendPolicyRequest(other)).toEqual(DENIED);
  });

  it.each<[string, NetworkPolicyHandler, object]>([
    [
      "a denial with its reason",
      () => ({ type: "deny", reason: "offline" }),
      { type: "deny", reason: "offline" },
    ],
    ["an ask with its reason", () => ({ type: "ask", reason: "" }), { type: "ask", reason: "" }],
    [
      "a reason cut at 1024 bytes",
      () => ({ type: "deny", reason: "x".repeat(2_000) }),
      { type: "deny", reason: "x".repeat(1_024) },
    ],
    [
      "a reason cut between characters",
      () => ({ type: "ask", reason: `x${"€".repeat(1_000)}` }),
      { type: "ask", reason: `x${"€".repeat(341)}` },
    ],
  ])("is answered with %s", async (_, onNetworkPolicyRequest, decision) => {
    await using t = await setUp({ onNetworkPolicyRequest });
    expect(await t.sendPolicyRequest()).toEqual({ decision });
  });

  it.each<[string, () => unknown]>([
    ["throws", () => JSON.parse("{")],
    ["rejects", () => Promise.reject(new Error("broken"))],
    ["returns undefined", () => undefined],
    ["returns null", () => null],
    ["returns true", () => true],
    ["returns another string", () => "ALLOW"],
    ["returns another type", () => ({ type: "perhaps", reason: "x" })],
    ["returns a type in an array", () => ({ type: ["ask"], reason: "x" })],
    ["returns no reason", () => ({ type: "ask" })],
    ["returns a reason that is a bigint", () => ({ type: "deny", reason: 1n })],
  ])("is denied when the handler %s", async (_, handler) => {
    await using t = await setUp({ onNetworkPolicyRequest: handler as NetworkPolicyHandler });
    expect(await t.sendPolicyRequest()).toEqual(DENIED);
  });

  it.each<[string, unknown]>([
    ["are missing", undefined],
    ["are null", null],
    ["are an array", []],
    ["have no request", { processId: "p" }],
    ["have a null request", { processId: "p", request: null }],
    ["have no process id", { request: REQUEST }],
    ["have a host that is a number", { processId: "p", request: { ...REQUEST, host: 5 } }],
    ["have a port that is a string", { processId: "p", request: { ...REQUEST, port: "443" } }],
  ])("is denied without calling the handler when its params %s", async (_, params) => {
    let calls = 0;
    await using t = await setUp({
      onNetworkPolicyRequest() {
        calls++;
        return "allow";
      },
    });
    expect(await t.sendPolicyRequest(params ?? null)).toEqual(DENIED);
    expect(calls).toBe(0);
  });

  it("does not delay other requests while the handler is pending", async () => {
    const decision = deferred<"allow">();
    await using t = await setUp({ onNetworkPolicyRequest: () => decision.promise });
    const answer = t.sendPolicyRequest();
    expect(await t.client.status()).toEqual({ status: "ready" });
    decision.resolve("allow");
    expect(await answer).toEqual({ decision: { type: "allow" } });
  });

  it.each([
    ["resolves", (decision: ReturnType<typeof deferred<"allow">>) => decision.resolve("allow")],
    ["rejects", (decision: ReturnType<typeof deferred<"allow">>) => decision.reject(new Error("late"))],
  ])("gets no answer when the handler %s after the connection ended", async (_, settle) => {
    const called = deferred<void>();
    const decision = deferred<"allow">();
    await using t = await setUp({
      onNetworkPolicyRequest() {
        called.resolve();
        return decision.promise;
      },
    });
    t.connection.send({ id: "q", method: "network/policyRequest", params: PARAMS });
    await called.promise;
    await t.client.close();
    const unhandled: unknown[] = [];
    const onUnhandled = (error: unknown): void => void unhandled.push(error);
    process.on("unhandledRejection", onUnhandled);
    settle(decision);
    // Unhandled rejections are reported after the microtasks of the current turn.
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", onUnhandled);
    expect(unhandled).toEqual([]);
    expect(t.connection.received.filter(({ method }) => method === undefined)).toEqual([]);
  });
});

describe("the trace context", () => {
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

  it("is read for each request and sent with it", async () => {
    let count = 0;
    await using t = await setUp({ traceContext: () => ({ traceparent, tracestate: `n=${++count}` }) });
    await t.client.status();
    await t.client.fetch("http://a.test");
    const traces = t.connection.received.map((message) => [message.method, message.trace]);
    expect(traces).toEqual([
      ["initialize", { traceparent, tracestate: "n=1" }],
      ["initialized", undefined],
      ["environment/status", { traceparent, tracestate: "n=2" }],
      ["http/request", { traceparent, tracestate: "n=3" }],
    ]);
  });

  it.each<[string, Partial<ClientOptions>]>([
    ["no provider", {}],
    ["a provider that returns undefined", { traceContext: () => undefined }],
    ["a provider that throws", { traceContext: () => JSON.parse("{") }],
  ])("is absent with %s", async (_, options) => {
    await using t = await setUp(options);
    await t.client.status();
    for (const message of t.connection.received) expect(message).not.toHaveProperty("trace");
  });

  it("is accepted by the real server", async () => {
    await using server = await ExecServer.start();
    await using client = await ExecServerClient.connect({
      transport: webSocket(server.url),
      traceContext: () => ({ traceparent }),
    });
    expect((await client.run(["echo", "traced"])).stdout).toBe("traced\n");
    expect(await failureOf(client.call("no/method"))).toMatchObject({ kind: "unsupported" });
  });
});
