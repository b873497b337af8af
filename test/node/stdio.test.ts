import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ConnectError, ExecServerClient, LazyExecServerClient } from "../../src/index.ts";
import { stdio } from "../../src/node.ts";
import { Children } from "../support/children.ts";
import { codexBinary, makeCodexHome } from "../support/exec-server.ts";
import { failureOf } from "../support/failure.ts";

const realServer = () => ({
  args: ["exec-server", "--listen", "stdio"],
  env: { CODEX_HOME: makeCodexHome() },
});

let children: Children;

beforeEach(() => {
  children = new Children();
});

afterEach(() => {
  children[Symbol.dispose]();
});

describe("the real server as a child", () => {
  test("is not started before the first use, runs commands, and is gone after close()", async () => {
    const transport = stdio({ command: codexBinary(), ...realServer() });
    const client = new LazyExecServerClient({ transport });
    expect(children.started).toHaveLength(0);
    const results = await Promise.all([client.run(["echo", "one"]), client.run(["echo", "two"])]);
    expect(results.map(({ stdout }) => stdout)).toEqual(["one\n", "two\n"]);
    expect(children.started).toHaveLength(1);
    await client.close();
    await children.gone();
  });

  test("ends by itself at the end of its input", async () => {
    const client = await ExecServerClient.connect({
      transport: stdio({ command: codexBinary(), ...realServer() }),
    });
    await client.close();
    await children.gone();
    expect([children.latest.exitCode, children.latest.signalCode]).toEqual([0, null]);
  });

  test("is started once: after its death everyone gets the same dead client", async () => {
    await using client = new LazyExecServerClient({
      transport: stdio({ command: codexBinary(), ...realServer() }),
    });
    const first = await client.get();
    children.latest.kill("SIGKILL");
    const lost = await first.disconnected;
    expect(lost).toMatchObject({ code: "ERR_DISCONNECTED", reason: expect.stringContaining("SIGKILL") });

    expect(await Promise.all([client.get(), client.get()])).toEqual([first, first]);
    expect(await client.get()).toBe(first);
    expect(await failureOf(client.run(["echo"]))).toMatchObject({
      code: "ERR_DISCONNECTED",
      reason: (lost as { reason?: string }).reason,
      delivery: "not-sent",
    });
    expect(client.state).toBe("disconnected");
    expect(children.started).toHaveLength(1);
  });

  test("fails what is running when it dies", async () => {
    await using client = await ExecServerClient.connect({
      transport: stdio({ command: codexBinary(), ...realServer() }),
    });
    const process = await client.start(["cat"], { stdin: "pipe" });
    children.latest.kill("SIGKILL");
    expect(await failureOf(process.exited)).toMatchObject({ code: "ERR_DISCONNECTED" });
    expect(await failureOf(client.status())).toMatchObject({ code: "ERR_DISCONNECTED" });
  });

  test("may be tried again after a start that failed", async () => {
    const folder = mkdtempSync(join(tmpdir(), "exec-server-sdk-"));
    const command = join(folder, "codex");
    try {
      await using client = new LazyExecServerClient({ transport: stdio({ command, ...realServer() }) });
      const failures = await Promise.all([failureOf(client.get()), failureOf(client.get())]);
      expect(failures[0]).toBe(failures[1]);
      expect(failures[0]).toBeInstanceOf(ConnectError);
      expect(client.state).toBe("idle");
      expect(children.started).toHaveLength(1);

      symlinkSync(codexBinary(), command);
      expect(await client.status()).toEqual({ status: "ready" });
      expect(children.started).toHaveLength(2);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
