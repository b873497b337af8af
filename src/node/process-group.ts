import { type ChildProcess, spawn } from "node:child_process";

/** Signals the whole process group of a child that was started with `detached: true`. */
export function killGroup(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): void {
  if (child.pid === undefined) return;
  if (process.platform === "win32") {
    // Windows has no process groups. taskkill ends the tree of child processes.
    spawn("taskkill", ["/PID", String(child.pid), "/T", "/F"], { stdio: "ignore" }).on("error", () => {});
    return;
  }
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group has no process left.
  }
}

const running = new Set<ChildProcess>();
const killRunning = (): void => {
  for (const child of running) killGroup(child, "SIGKILL");
};

/**
 * Kills the child when this process exits. If a signal kills this process, the child only sees the end of its input.
 * Returns a function that cancels the registration.
 */
export function killAtExit(child: ChildProcess): () => void {
  // One listener for all children: Node warns of a leak above ten.
  if (running.size === 0) process.on("exit", killRunning);
  running.add(child);
  return () => {
    running.delete(child);
    if (running.size === 0) process.off("exit", killRunning);
  };
}
