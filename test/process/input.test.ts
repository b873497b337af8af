import { createHash, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { RunOptions } from "../../src/index.ts";
import { describeOnBothServers } from "../support/both-servers.ts";
import { gone } from "../support/command-lines.ts";
import { failureOf } from "../support/failure.ts";
import { realClient } from "../support/real-client.ts";

const MiB = 1024 * 1024;

/** A stream of bytes, and what became of it. */
function source(next: (n: number) => Uint8Array | undefined | Promise<Uint8Array | undefined>) {
  const seen = { pulls: 0, isCanceled: false };
  const stream: ReadableStream<Uint8Array> = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const chunk = await next(seen.pulls++);
      if (chunk) controller.enqueue(chunk);
      else controller.close();
    },
    cancel() {
      seen.isCanceled = true;
    },
  });
  return { stream, seen };
}

const endless = () => source(() => new Uint8Array(64 * 1024).fill(120));
const canceled = (seen: { isCanceled: boolean }) =>
  expect.poll(() => seen.isCanceled, { timeout: 20_000 }).toBe(true);

describeOnBothServers("run() with input, on", (real) => {
  it("leaves no feeder behind programs that exit while the end is being sent", async () => {
    const name = `burst-${crypto.randomUUID()}`;
    for (let round = 0; round < 3; round++) {
      const runs = Array.from({ length: 20 }, () =>
        real.client.run(["sh", "-c", "head -n1", name], { input: "line\n" }),
      );
      await Promise.all(runs);
    }
    await gone(name);
  });

  it("cancels the input of a program that can't be started", async () => {
    const { stream, seen } = endless();
    await failureOf(real.client.run(["/no/such"], { input: stream }));
    await canceled(seen);
  });

  describe("passes 20 MiB through sha1sum", () => {
    const data: Uint8Array<ArrayBuffer> = new Uint8Array(randomBytes(20 * MiB));
    const hash = createHash("sha1").update(data).digest("hex");
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (let at = 0, size = 1; at < data.length; at += size, size = (size * 13) % 2_000_003) {
        yield data.subarray(at, at + size);
      }
    }
    it.each([
      ["bytes", () => data],
      ["an ArrayBuffer", () => new Uint8Array(data).buffer],
      ["a Blob", () => new Blob([data])],
      ["a stream", () => source((n) => (n < 20 ? data.subarray(n * MiB, (n + 1) * MiB) : undefined)).stream],
      ["an async iterable", pieces],
    ] as const)("as %s", async (_name, input) => {
      const { stdout } = await real.client.run(["sha1sum"], { input: input() });
      expect(stdout).toBe(`${hash}  -\n`);
    });
  });

  it("passes text as UTF-8, whole or in pieces", async () => {
    expect((await real.client.run(["cat"], { input: "grüße 🎉\n" })).stdout).toBe("grüße 🎉\n");
    async function* words(): AsyncGenerator<string | Uint8Array> {
      yield "grüße ";
      yield new TextEncoder().encode("🎉");
    }
    expect((await real.client.run(["cat"], { input: words() })).stdout).toBe("grüße 🎉");
  });

  const empty: readonly (readonly [string, () => RunOptions["input"]])[] = [
    ["text", () => ""],
    ["bytes", () => new Uint8Array()],
    ["a Blob", () => new Blob([])],
    ["a stream", () => source(() => undefined).stream],
    ["a stream of empty chunks", () => source((n) => (n < 3 ? new Uint8Array() : undefined)).stream],
  ];
  it.each(empty)("ends an empty input at once: %s", async (_name, input) => {
    expect((await real.client.run(["wc", "-c"], { input: input() })).stdout.trim()).toBe("0");
  });

  it("keeps the exit code, the output and `reject`", async () => {
    const argv = ["sh", "-c", "cat; cat >&2 </dev/null; echo sad >&2; exit 7"];
    const result = { exitCode: 7, stdout: "in", stderr: "sad\n", sandboxDenied: false };
    expect(await real.client.run(argv, { input: "in", reject: false })).toEqual(result);
    expect(await failureOf(real.client.run(argv, { input: "in" }))).toMatchObject({
      code: "ERR_PROCESS_EXIT",
      ...result,
    });
  });

  it("reports a missing program as without input, and reads nothing", async () => {
    const { stream, seen } = source(() => Uint8Array.of(1));
    expect(await failureOf(real.client.run(["no-such-program"], { input: stream }))).toMatchObject({
      code: "ERR_SERVER",
      kind: "not-found",
      missing: "program",
      operation: "run",
    });
    expect(seen.pulls).toBeLessThanOrEqual(1);
  });

  it("resolves when the program ends early, and cancels a large stream", async () => {
    const { stream, seen } = source((n) => (n < 320 ? new Uint8Array(MiB / 16).fill(97) : undefined));
    const { stdout, exitCode } = await real.client.run(["head", "-c", "3"], { input: stream });
    expect([stdout, exitCode]).toEqual(["aaa", 0]);
    await canceled(seen);
  });

  it("resolves when the program ends early, and drops the rest of large bytes", async () => {
    const input = new Uint8Array(20 * MiB).fill(97);
    expect((await real.client.run(["head", "-c", "3"], { input })).stdout).toBe("aaa");
  });

  it("resolves when the program ends early, and cancels an endless stream", async () => {
    const { stream, seen } = endless();
    expect((await real.client.run(["head", "-c", "3"], { input: stream })).stdout).toBe("xxx");
    await canceled(seen);
  });

  it("resolves when the program ends, and cancels a stream that delivers nothing", async () => {
    const { stream, seen } = source(() => new Promise(() => {}));
    expect((await real.client.run(["echo", "done"], { input: stream })).stdout).toBe("done\n");
    await canceled(seen);
  });

  it("goes on with a program that closes its input, and cancels the stream", async () => {
    const { stream, seen } = endless();
    const script = "exec 0<&-; sleep 1; echo still here";
    expect((await real.client.run(["sh", "-c", script], { input: stream })).stdout).toBe("still here\n");
    await canceled(seen);
  });

  it("terminates the program of a stream that fails, and rejects with its error", async () => {
    const name = `fails-${crypto.randomUUID()}`;
    const error = new Error("the disk is gone");
    const input = source((n) => (n < 3 ? new Uint8Array(1000) : Promise.reject(error))).stream;
    expect(await failureOf(real.client.run(["sh", "-c", "cat; sleep 60", name], { input }))).toBe(error);
    await gone(name);
  });

  it("never lets a program take a part of a failed stream for the whole", async () => {
    const error = new Error("cut");
    const input = source((n) => (n < 3 ? new Uint8Array(1000) : Promise.reject(error))).stream;
    const file = `/tmp/whole-${crypto.randomUUID()}`;
    const running = real.client.run(["sh", "-c", `cat >/dev/null; echo whole >${file}`], { input });
    expect(await failureOf(running)).toBe(error);
    expect(await real.client.fs.exists(file)).toBe(false);
  });

  it("rejects after timeoutMs with the output until then, and cancels the stream", async () => {
    const { stream, seen } = endless();
    const name = `timeout-${crypto.randomUUID()}`;
    const argv = ["sh", "-c", "echo so far; cat >/dev/null", name];
    const error = await failureOf(real.client.run(argv, { input: stream, timeoutMs: 1_500 }));
    expect(error).toMatchObject({ code: "ERR_TIMEOUT", stdout: "so far\n" });
    await canceled(seen);
    await gone(name);
  });

  it("rejects with the reason of an abort in the middle, and cancels the stream", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const { stream, seen } = source((n) => {
      if (n === 40) controller.abort(reason);
      return new Uint8Array(64 * 1024);
    });
    const name = `abort-${crypto.randomUUID()}`;
    const options = { input: stream, signal: controller.signal };
    expect(await failureOf(real.client.run(["sh", "-c", "cat >/dev/null", name], options))).toBe(reason);
    await canceled(seen);
    await gone(name);
  });

  it("feeds 500 processes at once, and leaves nothing behind", async () => {
    const name = `many-${crypto.randomUUID()}`;
    const areRight = await Promise.all(
      Array.from({ length: 500 }, async () => {
        const input = randomBytes(64 * 1024);
        const { stdout } = await real.client.run(["sh", "-c", "sha1sum", name], { input });
        return stdout === `${createHash("sha1").update(input).digest("hex")}  -\n`;
      }),
    );
    expect(areRight.filter(Boolean)).toHaveLength(500);
    await gone(name);
  }, 120_000);
});

describe("run() with input", () => {
  it("refuses what is no input, and what excludes one", async () => {
    await using real = await realClient();
    const refused = async (options: object) =>
      (await failureOf(real.client.run(["cat"], options))) as { code: string; message: string };
    for (const input of [5, null, {}, [1]]) {
      expect(await refused({ input })).toMatchObject({
        code: "ERR_INVALID_ARGUMENT",
        message: expect.stringContaining("input must be "),
      });
    }
    expect((await refused({ input: "x", stdin: "ignore" })).code).toBe("ERR_INVALID_ARGUMENT");
    expect((await refused({ input: "x", tty: true })).code).toBe("ERR_UNSUPPORTED");
    expect((await refused({ input: "x", arg0: "y" })).message).toContain("arg0");
    const { stream } = source(() => undefined);
    stream.getReader();
    expect((await refused({ input: stream })).code).toBe("ERR_INVALID_ARGUMENT");
  });

  it("rejects with ERR_DISCONNECTED when the server dies, and cancels the stream", async () => {
    await using real = await realClient();
    const { stream, seen } = source(async (n) => {
      if (n === 20) await real.server.kill();
      return new Uint8Array(64 * 1024);
    });
    const error = await failureOf(real.client.run(["sh", "-c", "cat >/dev/null"], { input: stream }));
    expect(error).toMatchObject({ code: "ERR_DISCONNECTED", delivery: "unknown", operation: "run" });
    await canceled(seen);
  });
});
