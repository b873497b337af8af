import { afterAll, beforeAll, describe, expect, expectTypeOf, it, vi } from "vitest";
import {
  LazyExecServerClient,
  type ProcessExitError,
  type RunResult,
  type TimeoutError,
} from "../../src/index.ts";
import { TestServer } from "../../src/testing.ts";
import { OWN_ERRORS } from "../support/errors.ts";
import { failureOf } from "../support/failure.ts";
import { realClient } from "../support/real-client.ts";
import { scriptedProcess } from "../support/scripted-process.ts";
import { connectedTo, output } from "../support/scripted-server.ts";

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

  it("rejects after timeoutMs with the output until then, even if a descendant holds the output open", async () => {
    await using scripted = await scriptedProcess();
    const running = failureOf(scripted.client.run(["program"], { processId: "q", timeoutMs: 50 }));
    await scripted.connection.request("process/start", 2);
    output(scripted.connection, "q", 1, "so far");
    output(scripted.connection, "q", 2, "so b\xff", "stderr");
    await scripted.connection.request("process/terminate");
    scripted.connection.notify("process/exited", { processId: "q", seq: 3, exitCode: 137 });
    expect(await running).toMatchObject({ code: "ERR_TIMEOUT", stdout: "so far", stderr: "so b\xff" });
  });

  it("names the program and the last line of standard error", async () => {
    const script = "printf 'first\\n\\033[31mfatal:\\tno \\007repository\\033[0m\\r\\n \\n' >&2; exit 3";
    const error = await failureOf(real.client.run(["sh", "-c", script]));
    expect((error as Error).message).toBe("run 'sh': The command exited with code 3: fatal: no repository");
    expect(error).toMatchObject({ operation: "run", program: "sh" });
    const bytes = await failureOf(real.client.run(["sh", "-c", script], { encoding: "bytes" }));
    expect((bytes as Error).message).toBe((error as Error).message);
    const long = await failureOf(
      real.client.run(["sh", "-c", "head -c 9999 /dev/zero | tr '\\0' x >&2; exit 1"]),
    );
    expect((long as Error).message.length).toBeLessThan(250);
    const silent = await failureOf(real.client.run(["false"]));
    expect((silent as Error).message).toBe("run 'false': The command exited with code 1");
  });

  it("keeps overflow: fail in a terminal", async () => {
    const options = { tty: true, maxBufferedBytes: 1_000 };
    expect(await failureOf(real.client.run(["seq", "1", "9999"], options))).toMatchObject({
      code: "ERR_OVERFLOW",
    });
  });

  it("rejects with ERR_TOO_LARGE for output that no string can hold", async () => {
    await using server = new TestServer();
    server.onCommand(["program"], { stdout: "x" });
    await using connected = await connectedTo(server);
    vi.spyOn(TextDecoder.prototype, "decode").mockImplementation(() => {
      throw Object.assign(new Error("Cannot create a string"), { code: "ERR_STRING_TOO_LONG" });
    });
    try {
      expect(await failureOf(connected.client.run(["program"]))).toMatchObject({
        code: "ERR_TOO_LARGE",
        operation: "run",
      });
    } finally {
      vi.restoreAllMocks();
    }
  });

  it.each([
    ["timeoutMs", [Number.NaN, -1, 0, null, "soon"]],
    ["encoding", ["base64", "buffer", null]],
    ["overflow", ["drop", "pause"]],
    ["reject", ["no", 0]],
    ["stdin", ["inherit", "overlapped"]],
  ])("refuses a wrong %s", async (name, values) => {
    for (const value of values) {
      const error = await failureOf(real.client.run(["true"], { [name]: value } as never));
      expect(error).toMatchObject({ code: "ERR_INVALID_ARGUMENT", operation: "run", program: "true" });
      expect((error as Error).message).toContain(name);
    }
  });

  it.each(["timeout", "shell", "stdio", "maxBuffer"])(
    "refuses %s, and says what to do instead",
    async (name) => {
      const error = await failureOf(real.client.run(["true"], { [name]: 1 } as never));
      expect(error).toMatchObject({ code: "ERR_UNSUPPORTED" });
      expect((error as Error).message).toMatch(new RegExp(`option ${name}: .{10}`));
    },
  );

  it("types the output of its errors by the encoding", () => {
    expectTypeOf<ProcessExitError<string>["stderr"]>().toEqualTypeOf<string>();
    expectTypeOf<ProcessExitError<Uint8Array>["result"]>().toEqualTypeOf<RunResult<Uint8Array>>();
    expectTypeOf<TimeoutError<string>["stdout"]>().toEqualTypeOf<string | undefined>();
    expectTypeOf<ProcessExitError["stdout"]>().toEqualTypeOf<string | Uint8Array>();
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
