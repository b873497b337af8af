import { execFile } from "node:child_process";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { CONSUMER } from "../support/packed.ts";

const PROJECTS = join(import.meta.dirname, "../consumers/types");
const TSC = join(import.meta.dirname, "../../node_modules/typescript/bin/tsc");

/** The errors of a project that also checks the declarations, by this repository's compiler. The matrix covers other versions. */
async function typeErrors(project: string, module: string, moduleResolution: string): Promise<string> {
  const directory = join(CONSUMER, project);
  cpSync(join(PROJECTS, project), directory, { recursive: true });
  const flags = ["--project", directory, "--module", module, "--moduleResolution", moduleResolution];
  const run = promisify(execFile)(process.execPath, [TSC, ...flags]);
  return (await run.catch((error: { stdout: string }) => error)).stdout;
}

describe("the declarations", () => {
  it("compile for a page without the types of Node, with a lib older than `await using`", async () => {
    expect(await typeErrors("browser", "esnext", "bundler")).toBe("");
  });

  it("compile for Node without the DOM, and mix between ES modules and CommonJS", async () => {
    expect(await typeErrors("node", "nodenext", "nodenext")).toBe("");
  });
});
