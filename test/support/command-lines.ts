import { readdirSync, readFileSync } from "node:fs";
import { expect } from "vitest";

/** The arguments of every process that is alive. A zombie has none. */
function commandLines(): string[] {
  const ids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return ids.map((id) => {
    try {
      return readFileSync(`/proc/${id}/cmdline`, "utf8");
    } catch {
      return "";
    }
  });
}

/** Resolves when no process has this text in its arguments. */
export async function gone(text: string, timeout = 20_000): Promise<void> {
  await expect.poll(() => commandLines().filter((line) => line.includes(text)), { timeout }).toEqual([]);
}
