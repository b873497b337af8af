import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ExecProcess, StartOptions } from "../../src/index.ts";
import { describeOnBothServers } from "../support/both-servers.ts";
import { gone } from "../support/command-lines.ts";
import { failureOf } from "../support/failure.ts";
import { realClient } from "../support/real-client.ts";

/** Reads the output up to a line. */
async function untilLine(process: ExecProcess, line: string): Promise<void> {
  const reader = process.stdout.getReader();
  let output = "";
  while (!output.includes(`${line}\n`)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`expected ${line}, got ${output}`);
    output += new TextDecoder().decode(value);
  }
  reader.releaseLock();
}

describeOnBothServers("kill(), on", (real) => {
  it.each([
    ["with signals: true", { signals: true }],
    ['with stdin: "pipe"', { stdin: "pipe" }],
    ['with overflow: "pause"', { overflow: "pause" }],
    ["in a terminal", { tty: true }],
  ] as const)("reaches the pid that the program has %s", async (_name, options: StartOptions) => {
    const process = await real.client.start(["sh", "-c", "echo $$; exec sleep 60"], options);
    const { value } = await process.stdout.getReader().read();
    expect(Number(new TextDecoder().decode(value))).toBe(process.pid);
    await process.kill();
    // 128 and the number of the signal; the server reports 1 for a terminal.
    expect((await process.closed).exitCode).toBe(options.tty ? 1 : 143);
  });

  it.each(["SIGUSR1", "SIGUSR2", "SIGHUP", "SIGINT", "SIGTERM", "SIGWINCH"])(
    "has %s caught",
    async (signal) => {
      const script = `trap 'echo caught; exit 5' ${signal.slice(3)}; echo ready; while :; do sleep 0.05; done`;
      const process = await real.client.start(["sh", "-c", script], { signals: true });
      await untilLine(process, "ready");
      await process.kill(signal);
      await untilLine(process, "caught");
      expect((await process.closed).exitCode).toBe(5);
    },
  );

  it("reaches the group, so the children of a shell as well", async () => {
    const name = `child-${crypto.randomUUID()}`;
    const script = `sh -c 'echo ready; while :; do sleep 0.05; done' ${name} & wait`;
    const process = await real.client.start(["sh", "-c", script], { signals: true });
    await untilLine(process, "ready");
    await process.kill();
    await process.closed;
    await gone(name);
  });

  it("sends SIGKILL to a program that ignores SIGTERM", async () => {
    const process = await real.client.start(
      ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"],
      {
        signals: true,
      },
    );
    await untilLine(process, "ready");
    await process.kill();
    expect(readFileSync(`/proc/${process.pid}/stat`, "utf8")).toContain("(sh)");
    await process.kill("SIGKILL");
    expect((await process.closed).exitCode).toBe(137);
  });

  it("stops and continues", async () => {
    await using process = await real.client.start(["sleep", "60"], { signals: true });
    const state = () => /\) (\w)/.exec(readFileSync(`/proc/${process.pid}/stat`, "utf8"))?.[1];
    await process.kill("SIGSTOP");
    await expect.poll(state).toBe("T");
    await process.kill("SIGCONT");
    await expect.poll(state).toBe("S");
  });

  it("does nothing after the exit", async () => {
    const process = await real.client.start(["true"], { signals: true });
    await process.exited;
    await process.kill();
    await process.kill("SIGKILL");
    expect(process.pid).toBeGreaterThan(0);
  });

  it("does nothing when it meets the exit", async () => {
    for (let n = 0; n < 20; n++) {
      const process = await real.client.start(["true"], { signals: true });
      await process.kill("SIGUSR1");
      await process.closed;
    }
  });

  it.each(["SIGNOPE", "TERM", "sigterm", "9", "", "SIGRTMIN", 15])(
    "refuses %j, also after the exit",
    async (name) => {
      await using process = await real.client.start(["true"], { signals: true });
      await process.closed;
      expect(await failureOf(process.kill(name as string))).toMatchObject({
        code: "ERR_INVALID_ARGUMENT",
        operation: "kill",
        message: expect.stringContaining("the name of a POSIX signal"),
      });
    },
  );
});

describe("a process that can't be signalled", () => {
  let real: Awaited<ReturnType<typeof realClient>>;
  beforeAll(async () => {
    real = await realClient();
  });
  afterAll(() => real[Symbol.asyncDispose]());

  const workspace = {
    permissions: {
      type: "managed",
      file_system: {
        type: "restricted",
        entries: [{ path: { type: "special", value: { kind: "root" } }, access: "read" }],
      },
      network: "restricted",
    },
  };

  it.each([
    ["without signals", {}, "signals: true"],
    ["with signals: false", { stdin: "pipe", signals: false }, "signals: false"],
    ["with arg0", { arg0: "x" }, "arg0"],
  ] as const)("has no pid, and rejects kill() with the reason: %s", async (_, options, reason) => {
    await using process = await real.client.start(["sleep", "60"], options as StartOptions);
    expect(process.pid).toBeUndefined();
    expect(await failureOf(process.kill())).toMatchObject({
      code: "ERR_UNSUPPORTED",
      operation: "kill",
      program: "sleep",
      message: expect.stringContaining(reason),
    });
  });

  it("is refused with signals: true in a sandbox, before anything is sent", async () => {
    const options = { signals: true, sandbox: workspace } as unknown as StartOptions;
    expect(await failureOf(real.client.start(["sleep", "60"], options))).toMatchObject({
      code: "ERR_UNSUPPORTED",
      message: expect.stringContaining("sandbox"),
    });
    const pausing = { overflow: "pause", sandbox: workspace } as unknown as StartOptions;
    expect(await failureOf(real.client.start(["sleep", "60"], pausing))).toMatchObject({
      code: "ERR_UNSUPPORTED",
    });
  });

  it("is refused with signals: true and arg0", async () => {
    expect(await failureOf(real.client.start(["sleep"], { signals: true, arg0: "x" }))).toMatchObject({
      code: "ERR_UNSUPPORTED",
      message: expect.stringContaining("arg0"),
    });
  });
});

describe("after the connection has ended", () => {
  it.each([
    ["kill", { signals: true }, (process: ExecProcess) => process.kill()],
    ["kill", { overflow: "pause" }, (process: ExecProcess) => process.kill("SIGKILL")],
    ["resize", { tty: true }, (process: ExecProcess) => process.resize({ rows: 5, cols: 5 })],
  ] as const)(
    "rejects %s() of a process started with %o, which may still run",
    async (name, options, call) => {
      await using own = await realClient();
      const process = await own.client.start(["sleep", "60"], options);
      await own.server.kill();
      await failureOf(process.exited);
      expect(await failureOf(call(process))).toMatchObject({
        code: "ERR_DISCONNECTED",
        operation: name,
        program: "sleep",
        delivery: "not-sent",
      });
    },
  );

  it("has nothing to kill if the exit was seen before", async () => {
    await using own = await realClient();
    const process = await own.client.start(["true"], { signals: true });
    await process.exited;
    await own.server.kill();
    await own.client.disconnected;
    await process.kill();
  });
});
