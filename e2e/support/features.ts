import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FeatureName } from "../page/features.ts";
import { expect } from "./fixtures.ts";
import type { ScenarioPage } from "./scenario-page.ts";
import type { Stage } from "./stage.ts";

/** The expected report of each feature. */
export const FEATURES: Readonly<Record<FeatureName, unknown>> = {
  commands: { exitCode: 3, stdout: "out\n", stderr: "err\n", echoed: "grüße" },
  terminal: { exitCode: 4, sandboxDenied: false },
  files: { read: "grüße\n", size: 8, names: ["hello.txt"], exists: false },
  streams: { length: 3 * 1024 * 1024 + 5, isSame: true },
  iteration: {
    createReadStream: "in a file",
    values: "in a file",
    process: "by a process",
    stdout: "by a process",
    fetch: "in a response",
  },
  unfinishedIteration: { isLocked: false, isDone: true },
  http: { status: 200, json: { a: 1 }, form: "b=2" },
};

/** Uses a feature in the page, over one connection. */
export async function useFeature(tab: ScenarioPage, stage: Stage, name: FeatureName): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "exec-server-e2e-"));
  try {
    expect(await tab.do("use", name, { directory, origin: stage.origin.url })).toEqual(FEATURES[name]);
    expect(stage.front.dials).toBe(1);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
