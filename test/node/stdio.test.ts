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

describe("stdio() with the real server", () => {
  test("starts the child at the first use, runs commands, and leaves no child after close()", async () => {
    const transport = stdio({ command: codexBinary(), ...realServer() });
    const client = new LazyExecServerClient({ transport });
    expect(children.started).toHaveLength(0);
    const results = await Promise.all([client.run(["echo", "one"]), client.run(["echo", "two"])]);
    expect(results.map(({ stdout }) => stdout)).toEqual(["one\n", "two\n"]);
    expect(children.started).toHaveLength(1);
    await client.close();
    await children.gone();
  });

  test("closes a child by the end of its input, without a signal", async () => {
    const client = await ExecServerClient.connect({
      transport: stdio({ command: codexBinary(), ...realServer() }),
    });
    await client.close();
    await children.gone();
    expect([children.latest.exitCode, children.latest.signalCode]).toEqual([0, null]);
  });

  test("starts the child once: after its death every caller gets the same disconnected client", async () => {
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

  test("rejects running processes and later calls when the child dies", async () => {
    await using client = await ExecServerClient.connect({
      transport: stdio({ command: codexBinary(), ...realServer() }),
    });
    const process = await client.start(["cat"], { stdin: "pipe" });
    children.latest.kill("SIGKILL");
    expect(await failureOf(process.exited)).toMatchObject({ code: "ERR_DISCONNECTED" });
    expect(await failureOf(client.status())).toMatchObject({ code: "ERR_DISCONNECTED" });
  });

  test("can be used again after a failed start", async () => {
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
