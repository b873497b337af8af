import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { failureOf } from "../test/support/failure.ts";
import { runCommand } from "./support/command.ts";

const run = (script: string, timeoutMs = 30_000) =>
  runCommand(["bash", "-c", script], { cwd: import.meta.dirname, timeoutMs });

describe("a command", () => {
  it("gives its output", async () => {
    expect(await run("echo out; echo err >&2")).toEqual({ stdout: "out\n", stderr: "err\n" });
  });

  it("that fails is reported with the tail of its output", async () => {
    const message = String(await failureOf(run("yes | head -c 100000; echo why >&2; exit 3")));
    expect(message).toMatch(/ended with code 3\n[y\n]+\nwhy$/);
    expect(message.length).toBeLessThan(5_000);
  });

  it("that is not there is reported", async () => {
    const command = runCommand(["/no/such/program"], { cwd: import.meta.dirname, timeoutMs: 30_000 });
    expect(String(await failureOf(command))).toContain("ENOENT");
  });

  it("that hangs is killed with everything it has started, and reported with its last words", async () => {
    const message = String(await failureOf(run("trap '' TERM; sleep 1000 & echo $!; wait", 2_000)));
    expect(message).toMatch(/: did not end within 2000 ms\n\d+$/);
    const started = message.split("\n").at(-1) ?? "";
    await vi.waitUntil(() => !isRunning(started));
  });

  it("that hangs is given up although something that left its group keeps the output open", async () => {
    const message = String(await failureOf(run("setsid sleep 1000 & echo $!; wait", 2_000)));
    expect(message).toMatch(/: did not end within 2000 ms\n\d+$/);
    process.kill(Number(message.split("\n").at(-1)), "SIGKILL");
  });
});

/** A zombie is not: whoever should take note of its end may be slow. */
function isRunning(pid: string): boolean {
  const file = `/proc/${pid}/status`;
  return existsSync(file) && !/^State:\s+[ZX]/m.test(readFileSync(file, "utf8"));
}
