import { type ChildProcess, spawn } from "node:child_process";

/** Signals a child started with `detached: true` together with everything it has started in its process group. */
export function killGroup(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): void {
  if (child.pid === undefined) return;
  if (process.platform === "win32") {
    // There are no groups; taskkill follows the tree.
    spawn("taskkill", ["/PID", String(child.pid), "/T", "/F"], { stdio: "ignore" }).on("error", () => {});
    return;
  }
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Nobody is left in the group.
  }
}

const running = new Set<ChildProcess>();
const killRunning = (): void => {
  for (const child of running) killGroup(child, "SIGKILL");
};

/**
 * Ends the child with this process when that exits by itself; if a signal kills it, the child only sees the end of its
 * input. Returns what lifts that again.
 */
export function killAtExit(child: ChildProcess): () => void {
  // One listener for all: Node takes more than ten for a leak.
  if (running.size === 0) process.on("exit", killRunning);
  running.add(child);
  return () => {
    running.delete(child);
    if (running.size === 0) process.off("exit", killRunning);
  };
}
