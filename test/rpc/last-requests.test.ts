import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LazyExecServerClient, webSocket } from "../../src/index.ts";
import { gone } from "../support/command-lines.ts";
import { ExecServer } from "../support/exec-server.ts";
import { failureOf } from "../support/failure.ts";
import { scriptedPeer } from "../support/scripted-peer.ts";

const terminate = (t: ReturnType<typeof scriptedPeer>) =>
  failureOf(t.rpc.call("process/terminate", { processId: "p" }, { releases: true }));

describe("close() with requests in flight that release something", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("rejects them at once, and closes the connection when the server has answered the last one", async () => {
    const t = scriptedPeer();
    const calls = [terminate(t), terminate(t)];
    const [first, second] = [t.message(0).id, t.message(1).id];
    const status = failureOf(t.rpc.call("environment/status", null));
    const closed = t.rpc.close();
    for (const failure of await Promise.all([...calls, status])) {
      expect(failure).toMatchObject({ code: "ERR_CLOSED", delivery: "unknown" });
    }
    t.receive({ method: "process/exited", params: {} });
    t.receive({ id: 99, result: {} });
    t.receiver.onFrame("no message");
    t.receive({ id: first, result: { running: true } });
    await vi.advanceTimersByTimeAsync(0);
    expect(t.connection.closes).toBe(0);
    t.receive({ id: second, error: { code: -32600, message: "unknown process" } });
    await closed;
    expect(t.connection.closes).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("waits for half a second at most", async () => {
    const t = scriptedPeer();
    const call = terminate(t);
    const closed = t.rpc.close();
    await vi.advanceTimersByTimeAsync(499);
    expect(t.connection.closes).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    await closed;
    expect([t.connection.closes, (await call) instanceof Error]).toEqual([1, true]);
  });

  it("waits once, however often it is called", async () => {
    const t = scriptedPeer();
    void terminate(t);
    const closed = Promise.all([t.rpc.close(), t.rpc.close()]);
    await vi.advanceTimersByTimeAsync(500);
    await closed;
    await t.rpc.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("does not wait on a socket that is closing", async () => {
    const t = scriptedPeer();
    void terminate(t);
    t.connection.isOpen = false;
    await t.rpc.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("does not wait once the connection has ended", async () => {
    const t = scriptedPeer();
    const call = terminate(t);
    const closed = t.rpc.close();
    t.receiver.onEnd({});
    await closed;
    expect(await call).toMatchObject({ code: "ERR_CLOSED" });
    expect(vi.getTimerCount()).toBe(0);
  });

  it("does not wait for requests that release nothing", () => {
    const t = scriptedPeer();
    void failureOf(t.rpc.call("environment/status", null, { urgent: true }));
    void t.rpc.close();
    expect(t.connection.closes).toBe(1);
  });
});

describe.each([[[]], [["--concurrent-requests", "8"]]])("close() on a real server with %j", (args) => {
  it("does not lose the termination of a process whose signal has just aborted", async () => {
    await using server = await ExecServer.start({ args });
    const name = `aborted-${crypto.randomUUID()}`;
    await using client = new LazyExecServerClient({ transport: webSocket(server.url) });
    const abort = new AbortController();
    await client.start(["sh", "-c", "while :; do sleep 0.1; done", name], { signal: abort.signal });
    abort.abort();
    await client.close();
    await gone(name, 5_000);
  });

  it("leaves nothing behind of a process with an input that has just exited", async () => {
    await using server = await ExecServer.start({ args });
    const name = `exited-${crypto.randomUUID()}`;
    await using client = new LazyExecServerClient({ transport: webSocket(server.url) });
    const options = { stdin: "pipe" } as const;
    const process = await client.start(["sh", "-c", "read line; exit 3", name], options);
    await process.write("go\n");
    await process.exited;
    await client.close();
    await gone(name, 5_000);
  });
});
