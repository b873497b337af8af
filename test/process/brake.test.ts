import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { ExecProcess, StartOptions } from "../../src/index.ts";
import { Brake } from "../../src/process/brake.ts";
import { describeOnBothServers } from "../support/both-servers.ts";
import { gone } from "../support/command-lines.ts";
import { failureOf } from "../support/failure.ts";
import { NumberedCheck, numberedLines } from "../support/numbered.ts";
import { realClient } from "../support/real-client.ts";

const MiB = 1024 * 1024;
const PAUSE = { overflow: "pause" } as const;

/** The state that the system reports: T if the process is stopped. */
const stateOf = ({ pid }: ExecProcess) => /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1];
/** D: stopped between a fork and the program that its child starts. */
const stopped = (process: ExecProcess) =>
  expect.poll(() => stateOf(process), { timeout: 20_000 }).toMatch(/[TD]/);

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

describeOnBothServers('overflow: "pause", on', (real) => {
  it("passes output through a slow reader whole and in order", async () => {
    const process = await real.client.start(numberedLines(64 * MiB), PAUSE);
    expect((await readSlowly(process, 60e6)).length).toBe(64 * MiB);
    expect(await process.closed).toMatchObject({ exitCode: 0 });
  });

  it("stops a process that is not read, and continues it when it is", async () => {
    const process = await real.client.start(numberedLines(64 * MiB), PAUSE);
    await stopped(process);
    const check = new NumberedCheck();
    for await (const { chunk } of process) check.accept(chunk);
    expect(check.length).toBe(64 * MiB);
    expect(await process.closed).toMatchObject({ exitCode: 0 });
  });

  it.each(["kill", "interrupt"] as const)(
    "lets a process that handles %s() take its time to end",
    async (method) => {
      const script = "trap 'sleep 0.2; exit 7' TERM INT; while :; do head -c 200000 /dev/zero; done";
      await using process = await real.client.start(["sh", "-c", script], PAUSE);
      await stopped(process);
      await process[method]();
      expect(await process.exited).toMatchObject({ exitCode: 7 });
    },
  );

  it("writes no input to a process that it has stopped", async () => {
    await using process = await real.client.start(["cat"], { ...PAUSE, stdin: "pipe" });
    const piece = new Uint8Array(MiB);
    const writes = Promise.all(Array.from({ length: 200 }, () => process.write(piece)));
    await stopped(process);
    // Were they sent, a server that works one by one would not take this any more.
    await real.client.status();
    let length = 0;
    for await (const { chunk } of process) {
      length += chunk.length;
      if (length === 200 * MiB) break;
    }
    await writes;
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

describe("Brake", () => {
  const LIMIT = 4_000;

  it("sends the signal that continues a process again if it can't be sent", async () => {
    const sent: string[] = [];
    const brake = new Brake(
      LIMIT,
      async (name) => {
        sent.push(name);
        if (sent.length === 2) throw new Error("fork failed");
      },
      () => sent.push("stuck"),
    );
    brake.update(2_000);
    await expect.poll(() => sent).toEqual(["STOP"]);
    brake.update(0);
    await expect.poll(() => sent).toEqual(["STOP", "CONT", "CONT"]);
  });

  it("reports a process that can't be continued", async () => {
    let stuck: unknown;
    const brake = new Brake(
      LIMIT,
      async (name) => {
        if (name === "CONT") throw new Error("fork failed");
      },
      (error) => {
        stuck = error;
      },
    );
    brake.update(2_000);
    await new Promise(setImmediate);
    brake.update(0);
    await expect.poll(() => stuck).toEqual(new Error("fork failed"));
  });

  it("has input wait until the process is to run, or is over", async () => {
    const brake = new Brake(
      LIMIT,
      async () => {},
      () => {},
    );
    expect(brake.untilRunning()).toBeUndefined();
    brake.update(2_000);
    const first = brake.untilRunning();
    brake.update(100);
    await first;
    expect(brake.untilRunning()).toBeUndefined();
    brake.update(2_000);
    const second = brake.untilRunning();
    brake.release();
    await second;
  });
});
