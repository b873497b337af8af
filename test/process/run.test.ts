import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import { LazyExecServerClient, type RunResult } from "../../src/index.ts";
import { TestServer } from "../../src/testing.ts";
import { OWN_ERRORS } from "../support/errors.ts";
import { failureOf } from "../support/failure.ts";
import { realClient } from "../support/real-client.ts";
import { scriptedProcess } from "../support/scripted-process.ts";
import { connectedTo } from "../support/scripted-server.ts";

let real: Awaited<ReturnType<typeof realClient>>;
beforeAll(async () => {
  real = await realClient();
});
afterAll(() => real[Symbol.asyncDispose]());

const MIXED = ["sh", "-c", "printf '  out\\n\\n'; printf err >&2"];

/** Whether no process on this machine has the marker in its command line. */
async function isGone(marker: string): Promise<boolean> {
  const { stdout } = await real.client.run(["sh", "-c", `pgrep -f '[m]arker ${marker}' || true`]);
  return stdout === "";
}

describe("run()", () => {
  it("collects both streams as text, untrimmed", async () => {
    const result = await real.client.run(MIXED);
    expect(result).toEqual({ exitCode: 0, stdout: "  out\n\n", stderr: "err", sandboxDenied: false });
    expectTypeOf(result).toEqualTypeOf<RunResult<string>>();
  });

  it("collects bytes with encoding: bytes", async () => {
    const result = await real.client.run(["printf", "\\377\\000"], { encoding: "bytes" });
    expect([...result.stdout]).toEqual([255, 0]);
    expectTypeOf(result.stderr).toEqualTypeOf<Uint8Array<ArrayBuffer>>();
  });

  it("decodes characters that are split between two chunks, and keeps a byte order mark", async () => {
    const script = "printf '\\357\\273\\277a\\342'; sleep 0.05; printf '\\202'; sleep 0.05; printf '\\254'";
    expect((await real.client.run(["sh", "-c", script])).stdout).toBe("\uFEFFa€");
  });

  it("rejects on a non-zero exit with the whole result, unless reject is false", async () => {
    const argv = ["sh", "-c", "echo before; echo why >&2; exit 3"];
    const result = { exitCode: 3, stdout: "before\n", stderr: "why\n", sandboxDenied: false };
    expect(await failureOf(real.client.run(argv))).toMatchObject({
      code: "ERR_PROCESS_EXIT",
      result,
      ...result,
    });
    expect(await real.client.run(argv, { reject: false })).toEqual(result);
  });

  it("waits for the output of a background child", async () => {
    const { stdout } = await real.client.run(["sh", "-c", "(sleep 0.1; echo late) & echo now"]);
    expect(stdout).toBe("now\nlate\n");
  });

  it("terminates the process after timeoutMs, and then rejects", async () => {
    const argv = ["sh", "-c", "exec sleep 60 # marker timeout"];
    expect(await failureOf(real.client.run(argv, { timeoutMs: 100 }))).toMatchObject({ code: "ERR_TIMEOUT" });
    expect(await isGone("timeout")).toBe(true);
  });

  it("rejects after timeoutMs with the output until then", async () => {
    const argv = ["sh", "-c", "echo so far; echo so bad >&2; exec sleep 60"];
    const [text, bytes] = await Promise.all([
      failureOf(real.client.run(argv, { timeoutMs: 2_000 })),
      failureOf(real.client.run(argv, { timeoutMs: 2_000, encoding: "bytes" })),
    ]);
    expect(text).toMatchObject({ code: "ERR_TIMEOUT", stdout: "so far\n", stderr: "so bad\n" });
    expect(bytes).toMatchObject({ stdout: new TextEncoder().encode("so far\n") });
  });

  it("rejects with delivery unknown when the connection ends", async () => {
    await using own = await realClient();
    const running = failureOf(own.client.run(["sleep", "60"]));
    await own.client.status();
    await own.server.kill("SIGKILL");
    expect(await running).toMatchObject({ code: "ERR_DISCONNECTED", delivery: "unknown" });
  });

  it("terminates the process when its signal aborts, and then rejects with the reason", async () => {
    const controller = new AbortController();
    const running = failureOf(
      real.client.run(["sh", "-c", "trap '' TERM; sleep 60 # marker abort"], { signal: controller.signal }),
    );
    await real.client.status();
    const reason = new Error("enough");
    controller.abort(reason);
    expect(await running).toBe(reason);
    expect(await isGone("abort")).toBe(true);
  });

  it.each(Object.entries(OWN_ERRORS))(
    "rejects with the reason of an abort, even if it is a %s of another client",
    async (_, reason) => {
      await using server = new TestServer();
      server.onCommand(["program"], () => new Promise(() => {}));
      await using connected = await connectedTo(server);
      const controller = new AbortController();
      const running = failureOf(connected.client.run(["program"], { signal: controller.signal }));
      await connected.connection.request("process/start");
      await connected.client.status();
      controller.abort(reason);
      expect(await running).toBe(reason);
      expect(server.requests("process/terminate")).toHaveLength(1);
      expect(reason).not.toHaveProperty("stdout");
    },
  );

  it("waits at most two seconds for a process that does not end", async () => {
    await using scripted = await scriptedProcess();
    const started = performance.now();
    expect(await failureOf(scripted.client.run(["stubborn"], { timeoutMs: 20 }))).toMatchObject({
      code: "ERR_TIMEOUT",
    });
    await scripted.connection.request("process/terminate");
    const took = performance.now() - started;
    expect(took).toBeGreaterThan(1_900);
    expect(took).toBeLessThan(3_000);
  });

  it("applies timeoutMs to connecting too", async () => {
    const lazy = new LazyExecServerClient({
      transport: { reconnectable: true, connect: () => new Promise(() => {}) },
    });
    expect(await failureOf(lazy.run(["true"], { timeoutMs: 20 }))).toMatchObject({ code: "ERR_TIMEOUT" });
    expect(lazy.state).toBe("idle");
  });

  it("terminates the process beyond its budget, and rejects", async () => {
    const flood = ["sh", "-c", "yes 'marker overflow'"];
    expect(await failureOf(real.client.run(flood, { maxBufferedBytes: 100_000 }))).toMatchObject({
      code: "ERR_OVERFLOW",
      limit: 100_000,
    });
    expect(await isGone("overflow")).toBe(true);
    expect((await real.client.run(["printf", "12345"], { maxBufferedBytes: 5 })).stdout).toBe("12345");
  });

  it("keeps the end of the output with drop-oldest", async () => {
    const argv = ["sh", "-c", "seq 1 100000"];
    const { stdout } = await real.client.run(argv, { maxBufferedBytes: 14, overflow: "drop-oldest" });
    expect(stdout).toBe("\n99999\n100000\n");
  });

  it("rejects with the error of the connection when the connection ends", async () => {
    await using scripted = await scriptedProcess();
    const running = failureOf(scripted.client.run(["program"]));
    await scripted.connection.request("process/start", 2);
    scripted.connection.drop();
    expect(await running).toMatchObject({ code: "ERR_DISCONNECTED" });
  });

  it("reports a sandbox denial", async () => {
    await using server = new TestServer();
    server.onCommand(["program"], (process) => process.exit(1, { sandboxDenied: true }));
    await using connected = await connectedTo(server);
    expect(await connected.client.run(["program"], { reject: false })).toMatchObject({ sandboxDenied: true });
  });
});
