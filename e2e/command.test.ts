import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { failureOf } from "../test/support/failure.ts";
import { runCommand } from "./support/command.ts";

const run = (script: string, timeoutMs = 30_000) =>
  runCommand(["bash", "-c", script], { cwd: import.meta.dirname, timeoutMs });

describe("runCommand()", () => {
  it("resolves with the output", async () => {
    expect(await run("echo out; echo err >&2")).toEqual({ stdout: "out\n", stderr: "err\n" });
  });

  it("rejects with the tail of the output if the program fails", async () => {
    const message = String(await failureOf(run("yes | head -c 100000; echo why >&2; exit 3")));
    expect(message).toMatch(/exited with code 3\n[y\n]+\nwhy$/);
    expect(message.length).toBeLessThan(5_000);
  });

  it("rejects if the program does not exist", async () => {
    const command = runCommand(["/no/such/program"], { cwd: import.meta.dirname, timeoutMs: 30_000 });
    expect(String(await failureOf(command))).toContain("ENOENT");
  });

  it("kills a program that times out and its descendants, and rejects with the tail of the output", async () => {
    const message = String(await failureOf(run("trap '' TERM; sleep 1000 & echo $!; wait", 2_000)));
    expect(message).toMatch(/: timed out after 2000 ms\n\d+$/);
    const started = message.split("\n").at(-1) ?? "";
    await vi.waitUntil(() => !isRunning(started));
  });

  it("rejects after the timeout even if a process outside of the group keeps the output open", async () => {
    const message = String(await failureOf(run("setsid sleep 1000 & echo $!; wait", 2_000)));
    expect(message).toMatch(/: timed out after 2000 ms\n\d+$/);
    process.kill(Number(message.split("\n").at(-1)), "SIGKILL");
  });
});

/** A zombie is not running: its parent may be slow to reap it. */
function isRunning(pid: string): boolean {
  const file = `/proc/${pid}/status`;
  return existsSync(file) && !/^State:\s+[ZX]/m.test(readFileSync(file, "utf8"));
}
