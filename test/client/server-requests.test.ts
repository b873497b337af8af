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

/** A client with these options, and a server that can ask it things. */
async function connected(options: Partial<ClientOptions> = {}) {
  const it = await scriptedFetch(undefined, options);
  const ask = (params: unknown = QUESTION) => it.connection.ask("network/policyRequest", params);
  return { ...it, ask };
}

const REQUEST = { protocol: "https_connect", host: "a.test", port: 443 };
const QUESTION = { processId: "p", request: REQUEST };
const DENIED = { decision: { type: "deny", reason: "not_allowed" } };

describe("network/policyRequest", () => {
  it("may be decided by an async handler", async () => {
    await using it = await connected({ onNetworkPolicyRequest: async () => "allow" as const });
    expect(await it.ask()).toEqual({ decision: { type: "allow" } });
  });

  it("is denied without a handler", async () => {
    await using it = await connected();
    expect(await it.ask()).toEqual(DENIED);
  });

  it("is put to the handler, which may allow it", async () => {
    const asked: unknown[] = [];
    await using it = await connected({
      onNetworkPolicyRequest(request) {
        asked.push(request);
        return request.port === 443 ? "allow" : "deny";
      },
    });
    expect(await it.ask()).toEqual({ decision: { type: "allow" } });
    expect(asked).toEqual([{ processId: "p", ...REQUEST }]);
    const other = { processId: "p", request: { ...REQUEST, port: 80 } };
    expect(await it.ask(other)).toEqual(DENIED);
  });

  it.each<[string, NetworkPolicyHandler, object]>([
    [
      "a denial with its reason",
      () => ({ type: "deny", reason: "offline" }),
      { type: "deny", reason: "offline" },
    ],
    ["a question with its reason", () => ({ type: "ask", reason: "" }), { type: "ask", reason: "" }],
    [
      "a reason up to 1024 bytes",
      () => ({ type: "deny", reason: "x".repeat(2_000) }),
      { type: "deny", reason: "x".repeat(1_024) },
    ],
    [
      "no half characters",
      () => ({ type: "ask", reason: `x${"€".repeat(1_000)}` }),
      { type: "ask", reason: `x${"€".repeat(341)}` },
    ],
  ])("is answered with %s", async (_, onNetworkPolicyRequest, decision) => {
    await using it = await connected({ onNetworkPolicyRequest });
    expect(await it.ask()).toEqual({ decision });
  });

  it.each<[string, () => unknown]>([
    ["throws", () => JSON.parse("{")],
    ["rejects", () => Promise.reject(new Error("broken"))],
    ["answers nothing", () => undefined],
    ["answers null", () => null],
    ["answers true", () => true],
    ["answers another word", () => "ALLOW"],
    ["answers another type", () => ({ type: "perhaps", reason: "x" })],
    ["answers a type that only looks like one", () => ({ type: ["ask"], reason: "x" })],
    ["gives no reason", () => ({ type: "ask" })],
    ["gives a reason that is no text", () => ({ type: "deny", reason: 1n })],
  ])("is denied when the handler %s", async (_, handler) => {
    await using it = await connected({ onNetworkPolicyRequest: handler as NetworkPolicyHandler });
    expect(await it.ask()).toEqual(DENIED);
  });

  it.each<[string, unknown]>([
    ["are missing", undefined],
    ["are null", null],
    ["are a list", []],
    ["have no request", { processId: "p" }],
    ["have a null request", { processId: "p", request: null }],
    ["have no process", { request: REQUEST }],
    ["have a host that is no text", { processId: "p", request: { ...REQUEST, host: 5 } }],
    ["have a port that is no number", { processId: "p", request: { ...REQUEST, port: "443" } }],
  ])("is denied without asking when its params %s", async (_, params) => {
    let asked = 0;
    await using it = await connected({
      onNetworkPolicyRequest() {
        asked++;
        return "allow";
      },
    });
    expect(await it.ask(params ?? null)).toEqual(DENIED);
    expect(asked).toBe(0);
  });

  it("holds up nothing while the handler thinks", async () => {
    const thinking = deferred<"allow">();
    await using it = await connected({ onNetworkPolicyRequest: () => thinking.promise });
    const answer = it.ask();
    expect(await it.client.status()).toEqual({ status: "ready" });
    thinking.resolve("allow");
    expect(await answer).toEqual({ decision: { type: "allow" } });
  });

  it.each([
    ["answers", (thinking: ReturnType<typeof deferred<"allow">>) => thinking.resolve("allow")],
    ["fails", (thinking: ReturnType<typeof deferred<"allow">>) => thinking.reject(new Error("late"))],
  ])("sends nothing when the handler %s after the end of the connection", async (_, settle) => {
    const asked = deferred<void>();
    const thinking = deferred<"allow">();
    await using it = await connected({
      onNetworkPolicyRequest() {
        asked.resolve();
        return thinking.promise;
      },
    });
    it.connection.send({ id: "q", method: "network/policyRequest", params: QUESTION });
    await asked.promise;
    await it.client.close();
    const unhandled: unknown[] = [];
    const onUnhandled = (error: unknown): void => void unhandled.push(error);
    process.on("unhandledRejection", onUnhandled);
    settle(thinking);
    // Unhandled rejections are told after the microtasks of their turn.
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", onUnhandled);
    expect(unhandled).toEqual([]);
    expect(it.connection.received.filter(({ method }) => method === undefined)).toEqual([]);
  });
});

describe("the trace context", () => {
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

  it("goes with each request as it is at the time", async () => {
    let count = 0;
    await using it = await connected({ traceContext: () => ({ traceparent, tracestate: `n=${++count}` }) });
    await it.client.status();
    await it.client.fetch("http://a.test");
    const traces = it.connection.received.map((message) => [message.method, message.trace]);
    expect(traces).toEqual([
      ["initialize", { traceparent, tracestate: "n=1" }],
      ["initialized", undefined],
      ["environment/status", { traceparent, tracestate: "n=2" }],
      ["http/request", { traceparent, tracestate: "n=3" }],
    ]);
  });

  it.each<[string, Partial<ClientOptions>]>([
    ["no provider", {}],
    ["a provider that has none", { traceContext: () => undefined }],
    ["a provider that throws", { traceContext: () => JSON.parse("{") }],
  ])("is absent with %s", async (_, options) => {
    await using it = await connected(options);
    await it.client.status();
    for (const message of it.connection.received) expect(message).not.toHaveProperty("trace");
  });

  it("is taken by the real server", async () => {
    await using server = await ExecServer.start();
    await using client = await ExecServerClient.connect({
      transport: webSocket(server.url),
      traceContext: () => ({ traceparent }),
    });
    expect((await client.run(["echo", "traced"])).stdout).toBe("traced\n");
    expect(await failureOf(client.call("no/method"))).toMatchObject({ kind: "unsupported" });
  });
});
