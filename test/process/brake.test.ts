import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ExecProcess, StartOptions } from "../../src/index.ts";
import { gone } from "../support/command-lines.ts";
import { failureOf } from "../support/failure.ts";
import { NumberedCheck, numberedLines } from "../support/numbered.ts";
import { realClient } from "../support/real-client.ts";

const MiB = 1024 * 1024;
const PAUSE = { overflow: "pause" } as const;

/** The state that the system reports: T if the process is stopped. */
const stateOf = ({ pid }: ExecProcess) => /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1];
const stopped = (process: ExecProcess) => expect.poll(() => stateOf(process), { timeout: 20_000 }).toBe("T");

/** Reads the rest with a pause after each piece. */
async function readSlowly(process: ExecProcess, bytesPerSecond: number): Promise<NumberedCheck> {
  const check = new NumberedCheck();
  const start = performance.now();
  for await (const { chunk } of process) {
    check.accept(chunk);
    const early = (check.length / bytesPerSecond) * 1000 - (performance.now() - start);
    if (early > 10) await sleep(early);
  }
  return check;
}

describe.each([
  ["one request at a time", []],
  ["eight requests at a time", ["--concurrent-requests", "8"]],
])('overflow: "pause", on a server with %s', (_, args) => {
  let real: Awaited<ReturnType<typeof realClient>>;
  beforeAll(async () => {
    real = await realClient({ args });
  });
  afterAll(() => real[Symbol.asyncDispose]());

  it("passes output through a slow reader whole and in order", async () => {
    const process = await real.client.start(numberedLines(128 * MiB), PAUSE);
    expect((await readSlowly(process, 60e6)).length).toBe(128 * MiB);
    expect(await process.closed).toMatchObject({ exitCode: 0 });
  });

  it("stops a process that is not read, and continues it when it is", async () => {
    const process = await real.client.start(numberedLines(256 * MiB), PAUSE);
    await stopped(process);
    const check = new NumberedCheck();
    for await (const { chunk } of process) check.accept(chunk);
    expect(check.length).toBe(256 * MiB);
    expect(await process.closed).toMatchObject({ exitCode: 0 });
  });

  it("stops the group, such as a pipeline of a shell", async () => {
    const name = `pipeline-${crypto.randomUUID()}`;
    const script = `yes ${name} | cat; echo never`;
    await using process = await real.client.start(["sh", "-c", script], PAUSE);
    await stopped(process);
    await process.terminate();
    await process.closed;
    await gone(name);
  });

  it("continues a process whose unread output is discarded", async () => {
    const process = await real.client.start(["head", "-c", String(256 * MiB), "/dev/zero"], PAUSE);
    await stopped(process);
    await Promise.all([process.stdout.cancel(), process.stderr.cancel()]);
    expect(await process.closed).toMatchObject({ exitCode: 0 });
  });

  it.each([
    ["terminate()", (process: ExecProcess) => process.terminate(), 137],
    ["kill()", (process: ExecProcess) => process.kill(), 143],
    ["interrupt()", (process: ExecProcess) => process.interrupt(), 130],
  ] as const)("lets %s end a stopped process", async (_name, end, exitCode) => {
    const process = await real.client.start(["yes"], PAUSE);
    await stopped(process);
    await end(process);
    expect((await process.exited).exitCode).toBe(exitCode);
  });

  it("runs the handler of a stopped process for kill() and interrupt()", async () => {
    const script = `trap 'exit 5' USR1 INT; while :; do echo ${"x".repeat(16_000)}; done`;
    for (const end of ["kill", "interrupt"] as const) {
      const process = await real.client.start(["sh", "-c", script], PAUSE);
      await stopped(process);
      await (end === "kill" ? process.kill("SIGUSR1") : process.interrupt());
      expect((await process.exited).exitCode).toBe(5);
    }
  });

  it("ends a stopped process by the signal of its start, and by dispose", async () => {
    const controller = new AbortController();
    const process = await real.client.start(["yes"], { ...PAUSE, signal: controller.signal });
    await stopped(process);
    controller.abort();
    await process.exited;
    let exited: Promise<unknown>;
    {
      await using other = await real.client.start(["yes"], PAUSE);
      await stopped(other);
      exited = other.exited;
    }
    await exited;
  });

  it("takes input beside the output that is stopped", async () => {
    const process = await real.client.start(["cat"], { ...PAUSE, stdin: "pipe" });
    const writing = new Blob([new Uint8Array(48 * MiB)]).stream().pipeTo(process.stdin);
    await stopped(process);
    let length = 0;
    for await (const { chunk } of process) length += chunk.length;
    await writing;
    expect(length).toBe(48 * MiB);
  });
});

describe('overflow: "pause"', () => {
  it("is refused by run(), and in a terminal", async () => {
    await using real = await realClient();
    const options = PAUSE as unknown as { overflow: "fail" };
    expect(await failureOf(real.client.run(["true"], options))).toMatchObject({
      code: "ERR_INVALID_ARGUMENT",
      message: expect.stringContaining("overflow"),
    });
    const refused: [StartOptions, string][] = [
      [{ ...PAUSE, tty: true }, "tty"],
      [{ ...PAUSE, arg0: "x" }, "arg0"],
    ];
    for (const [more, reason] of refused) {
      expect(await failureOf(real.client.start(["true"], more))).toMatchObject({
        code: "ERR_UNSUPPORTED",
        message: expect.stringContaining(reason),
      });
    }
  });

  it("fails beyond the limit if the process can't be stopped in time", async () => {
    await using real = await realClient();
    const options = { ...PAUSE, maxBufferedBytes: 64 * 1024 };
    await using process = await real.client.start(["yes"], options);
    await stopped(process);
    const read = (async () => {
      for await (const _ of process);
    })();
    expect(await failureOf(read)).toMatchObject({ code: "ERR_OVERFLOW", limit: 64 * 1024 });
    // It goes on, and its output is dropped.
    await expect.poll(() => stateOf(process)).not.toBe("T");
  });
});
