import { execFile } from "node:child_process";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { CONSUMER } from "../support/packed.ts";

const PROJECTS = join(import.meta.dirname, "../consumers/types");
const TSC = join(import.meta.dirname, "../../node_modules/typescript/bin/tsc");

/** What this repository's compiler says of a project that checks the declarations too; the matrix has others. */
async function complaints(project: string, module: string, moduleResolution: string): Promise<string> {
  const directory = join(CONSUMER, project);
  cpSync(join(PROJECTS, project), directory, { recursive: true });
  const flags = ["--project", directory, "--module", module, "--moduleResolution", moduleResolution];
  const run = promisify(execFile)(process.execPath, [TSC, ...flags]);
  return (await run.catch((error: { stdout: string }) => error)).stdout;
}

describe("the declarations", () => {
  it("compile for a page that has nothing but a browser, and a lib older than `await using`", async () => {
    expect(await complaints("browser", "esnext", "bundler")).toBe("");
  });

  it("compile for Node without a DOM, and mix between ES modules and CommonJS", async () => {
    expect(await complaints("node", "nodenext", "nodenext")).toBe("");
  });
});
