import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type SandboxContext, ServerError, type StartOptions } from "../../src/index.ts";
import { launchPlan } from "../../src/process/launch-plan.ts";
import { LAUNCHER, REPORT_MARK } from "../../src/process/launcher/script.ts";
import type { TestServer } from "../../src/testing.ts";
import { failureOf } from "../support/failure.ts";
import { realClient } from "../support/real-client.ts";
import { connectedTo, output, QuietServer } from "../support/scripted-server.ts";

const RESTRICTED: SandboxContext = {
  permissions: { type: "managed", file_system: { type: "unrestricted" }, network: "restricted" },
};
const OPEN: SandboxContext = {
  permissions: { type: "managed", file_system: { type: "unrestricted" }, network: "enabled" },
};

describe("launchPlan", () => {
  it.each<[StartOptions, unknown]>([
    [{}, undefined],
    [{ stdin: "ignore" }, undefined],
    [{ arg0: "x" }, undefined],
    [{ arg0: "x", stdin: "pipe" }, undefined],
    [{ stdin: "pipe", signals: false }, undefined],
    [{ stdin: "pipe" }, { type: "pipes", input: "feed" }],
    [
      { stdin: "pipe", signals: true },
      { type: "pipes", input: "feed" },
    ],
    [
      { stdin: "pipe", sandbox: RESTRICTED },
      { type: "pipes", input: "feed" },
    ],
    [{ signals: true }, { type: "pipes", input: "" }],
    [
      { signals: true, sandbox: OPEN },
      { type: "pipes", input: "" },
    ],
    [{ overflow: "pause" }, { type: "pipes", input: "" }],
    [{ tty: true }, { type: "terminal", size: { rows: 24, cols: 80 } }],
    [
      { tty: { rows: 1, cols: 2 }, signals: false },
      { type: "terminal", size: { rows: 1, cols: 2 } },
    ],
  ])("with %o sets up %o", (options, setup) => {
    expect(launchPlan(options, true).setup).toEqual(setup);
  });

  it.each<[StartOptions, boolean, string]>([
    [{ signals: true }, false, "signals: true is not possible: it requires a POSIX server"],
    [{ overflow: "pause" }, false, 'overflow: "pause" is not possible: it requires a POSIX server'],
    [{ signals: true, arg0: "x" }, true, "signals: true is not possible: the option arg0 excludes it"],
    [{ signals: true, sandbox: RESTRICTED }, true, "a sandbox has process ids of its own"],
    [{ overflow: "pause", sandbox: RESTRICTED }, true, "a sandbox has process ids of its own"],
    [{ overflow: "pause", tty: true }, true, "can't be combined with tty"],
    [{ tty: { rows: 1, cols: 1 } }, false, "A terminal size requires a POSIX server"],
  ])("refuses %o (POSIX: %o): %s", (options, isPosix, message) => {
    expect(() => launchPlan(options, isPosix)).toThrow(
      expect.objectContaining({ code: "ERR_UNSUPPORTED", message: expect.stringContaining(message) }),
    );
  });

  it("starts without the launcher where that can't run", () => {
    expect(launchPlan({ stdin: "pipe" }, false)).toMatchObject({
      setup: undefined,
      noSignals: "it requires a POSIX server",
      noInputEnd: "it requires a POSIX server",
    });
  });
});

/** A server whose launcher does what `launcher` does. It starts every other program. */
async function withLauncher(launcher: (processId: string, report: (line: string) => void) => void) {
  const server: TestServer = new QuietServer();
  server.handle("process/start", ({ params }, connection) => {
    if (!LAUNCHER.every((word, at) => params.argv[at] === word)) return { processId: params.processId };
    const report = (line: string) => {
      output(connection, params.processId, 1, `${REPORT_MARK}${line}\n`);
      connection.notify("process/exited", { processId: params.processId, seq: 2, exitCode: 1 });
      connection.notify("process/closed", { processId: params.processId, seq: 3 });
    };
    launcher(params.processId, report);
    return { processId: params.processId };
  });
  server.handle("fs/getMetadata", () => ({ isDirectory: true, isFile: false }));
  return await connectedTo(server);
}

const NO_SHELL = (): never => {
  throw new ServerError("No such file or directory (os error 2)", { rpcCode: -32603 });
};

describe("a server without /bin/sh", () => {
  it("starts a process with input as before, without its end and without signals", async () => {
    await using t = await withLauncher(NO_SHELL);
    const process = await t.client.start(["cat"], { stdin: "pipe" });
    expect(process.pid).toBeUndefined();
    const plain = await t.connection.request("process/start", 2);
    expect(plain.params.argv).toEqual(["cat"]);
    for (const call of [() => process.kill(), () => process.stdin.close()]) {
      const error = (await failureOf(call())) as Error;
      expect(error).toMatchObject({ code: "ERR_UNSUPPORTED" });
      expect(error.message).toContain("it requires /bin/sh");
    }
  });

  it("rejects a start that requires the launcher, and names the shell", async () => {
    await using t = await withLauncher(NO_SHELL);
    for (const refused of [
      t.client.run(["cat"], { input: "x" }),
      t.client.start(["cat"], { signals: true }),
      t.client.start(["cat"], { overflow: "pause" }),
      t.client.start(["cat"], { tty: true }),
    ]) {
      expect(await failureOf(refused)).toMatchObject({
        code: "ERR_UNSUPPORTED",
        message: expect.stringContaining("requires /bin/sh on the server"),
        delivery: "answered",
      });
    }
    expect(t.server.requests("process/start")).toHaveLength(4);
  });
});

describe("a server whose shell can't be started for another reason", () => {
  it("rejects a start that requires the launcher with the server's error", async () => {
    await using t = await withLauncher(() => {
      throw new ServerError("Argument list too long (os error 7)", { rpcCode: -32603 });
    });
    const error = await failureOf(t.client.start(["cat"], { signals: true }));
    expect(error).toMatchObject({ code: "ERR_SERVER" });
    expect((error as Error).message).toContain("Argument list too long");
  });
});

describe("a variable that the shell loses", () => {
  it("has the program started without the launcher, under a new id", async () => {
    await using t = await withLauncher((_, report) => report("lost a.b"));
    const process = await t.client.start(["cat"], { stdin: "pipe" });
    const [first, second] = t.server.requests("process/start");
    expect(second?.params.argv).toEqual(["cat"]);
    expect(second?.params.processId).not.toBe(first?.params.processId);
    const error = (await failureOf(process.kill())) as Error;
    expect(error.message).toContain("can't pass on the variable a.b");
  });

  it("is named where the launcher is required, or the id is given", async () => {
    await using t = await withLauncher((_, report) => report("lost a.b"));
    for (const options of [{ signals: true }, { stdin: "pipe", processId: "p" }] as const) {
      const error = (await failureOf(t.client.start(["cat"], options))) as Error;
      expect(error).toMatchObject({ code: "ERR_UNSUPPORTED" });
      expect(error.message).toContain("the variable a.b");
    }
    expect(t.server.requests("process/start")).toHaveLength(2);
  });
});

describe("a start through the launcher on the real server", () => {
  let real: Awaited<ReturnType<typeof realClient>>;
  beforeAll(async () => {
    real = await realClient();
  });
  afterAll(() => real[Symbol.asyncDispose]());

  it.each<StartOptions>([{}, { stdin: "pipe" }, { signals: true }, { tty: true }])(
    "with %o has the same errors for a missing program and directory",
    async (options) => {
      expect(await failureOf(real.client.start(["no-such-program"], options))).toMatchObject({
        code: "ERR_SERVER",
        kind: "not-found",
        missing: "program",
      });
      expect(await failureOf(real.client.start(["true"], { ...options, cwd: "/no/such" }))).toMatchObject({
        code: "ERR_SERVER",
        kind: "not-found",
        missing: "cwd",
      });
    },
  );

  it("can't be signalled in a sandbox, but its input can be ended", async () => {
    await using process = await real.client.start(["cat"], { stdin: "pipe", sandbox: RESTRICTED });
    expect(process.pid).toBeUndefined();
    expect(await failureOf(process.kill())).toMatchObject({ code: "ERR_UNSUPPORTED" });
    const { stdout } = await real.client.run(["cat"], { input: "all of it", sandbox: RESTRICTED });
    expect(stdout).toBe("all of it");
  });

  it("quotes what a shell has printed that ended too early", async () => {
    const missing: SandboxContext = {
      permissions: {
        type: "managed",
        file_system: { type: "restricted", entries: [] },
        network: "enabled",
      },
    };
    const error = (await failureOf(real.client.run(["cat"], { input: "x", sandbox: missing }))) as Error;
    expect(error).toMatchObject({ code: "ERR_UNSUPPORTED" });
    expect(error.message).toMatch(/shell ended before the program started: \S/);
  });
});
