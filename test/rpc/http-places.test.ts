import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { failureOf } from "../support/failure.ts";
import { scriptedPeer } from "../support/scripted-peer.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A peer, with functions that make HTTP requests. The rejections of `calls` are handled. */
function setUp(options?: Parameters<typeof scriptedPeer>[0]) {
  const peer = scriptedPeer(options);
  const controllers: AbortController[] = [];
  const fetchMany = (count: number) =>
    Array.from({ length: count }, () => {
      const controller = new AbortController();
      controllers.push(controller);
      const call = peer.rpc.request("http/request", { url: "http://origin.test" }, undefined, controller);
      call.catch(() => {});
      return call;
    });
  return {
    ...peer,
    fetchMany,
    abort: (...indexes: number[]) => {
      for (const index of indexes) controllers[index]?.abort("enough");
    },
    /** The number of sent requests of a method. */
    countSent: (method: string) => peer.sent.filter((frame) => JSON.parse(frame).method === method).length,
    answer: (index: number) => peer.receive({ id: peer.message(index).id, result: {} }),
    advance: (ms: number) => vi.advanceTimersByTimeAsync(ms),
  };
}

const range = (count: number) => Array.from({ length: count }, (_, at) => at);

describe("HTTP requests on a connection for all operations", () => {
  it("take at most 32 places, and leave the others to other calls", () => {
    const t = setUp();
    t.fetchMany(40);
    expect(t.countSent("http/request")).toBe(32);
    for (let n = 0; n < 100; n++) t.rpc.call("environment/status", null).catch(() => {});
    expect(t.countSent("environment/status")).toBe(96);
    t.answer(0);
    expect(t.countSent("http/request")).toBe(33);
  });

  it("are not sent behind 7 aborted ones, so that a server with 8 workers still answers other calls", async () => {
    const t = setUp();
    for (const n of range(20)) {
      t.fetchMany(1);
      t.abort(n);
    }
    expect(t.countSent("http/request")).toBe(7);
    const status = t.rpc.call("environment/status", null);
    t.receive({ id: t.message(-1).id, result: { status: "ready" } });
    expect(await status).toEqual({ status: "ready" });
  });

  it("reject after one second behind aborted ones, with an error that names both remedies", async () => {
    const t = setUp();
    t.fetchMany(7);
    t.abort(...range(7));
    const [waiting] = t.fetchMany(1);
    const outcome = failureOf(waiting as Promise<unknown>);
    await t.advance(999);
    expect(vi.getTimerCount()).toBe(1);
    await t.advance(1);
    expect(await outcome).toMatchObject({
      code: "ERR_OVERFLOW",
      delivery: "not-sent",
      message: expect.stringMatching(/timeoutMs.*fetchConnection: "own"/),
    });
    expect(t.countSent("http/request")).toBe(7);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("are sent once the server has ended an aborted one", async () => {
    const t = setUp();
    t.fetchMany(7);
    t.abort(...range(7));
    const [waiting] = t.fetchMany(1);
    t.answer(0);
    expect(t.countSent("http/request")).toBe(8);
    await t.advance(10_000);
    t.answer(-1);
    expect(await waiting).toEqual({});
  });

  it("wait as long as one of those in flight is live", async () => {
    const t = setUp();
    const [live] = t.fetchMany(8);
    t.abort(...range(8).slice(1));
    const [waiting] = t.fetchMany(1);
    const outcome = failureOf(waiting as Promise<unknown>);
    await t.advance(60_000);
    t.answer(0);
    expect(await live).toEqual({});
    await t.advance(1_000);
    expect(await outcome).toMatchObject({ code: "ERR_OVERFLOW" });
  });

  it("that wait reject when the last live one is aborted", async () => {
    const t = setUp();
    t.fetchMany(8);
    t.abort(...range(8).slice(1));
    const outcome = failureOf(t.fetchMany(1)[0] as Promise<unknown>);
    await t.advance(5_000);
    t.abort(0);
    await t.advance(1_000);
    expect(await outcome).toMatchObject({ code: "ERR_OVERFLOW" });
  });

  it("leave no timer when the connection ends", () => {
    const t = setUp();
    t.fetchMany(7);
    t.abort(...range(7));
    t.fetchMany(1);
    t.receiver.onEnd({});
    expect(vi.getTimerCount()).toBe(0);
  });
});

it("HTTP requests on a connection of their own take all places", () => {
  const t = setUp({ limitsHttp: false });
  t.fetchMany(140);
  t.abort(...range(20));
  expect(t.countSent("http/request")).toBe(128);
});
