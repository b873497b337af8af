import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { CONSUMER } from "../support/packed.ts";

const SOURCES = join(import.meta.dirname, "types");
const TSC = join(import.meta.dirname, "../../node_modules/typescript/bin/tsc");

/** What the compiler says of a project that has the package installed and checks its declarations too. */
async function complaints(name: string, files: string[], options: object): Promise<string> {
  const project = join(CONSUMER, name);
  mkdirSync(project);
  for (const file of files) copyFileSync(join(SOURCES, file), join(project, basename(file)));
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    target: "ES2022",
    // The compiler's own libraries are not what is tested.
    skipDefaultLibCheck: true,
    skipLibCheck: false,
    noEmit: true,
    ...options,
  };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  const run = promisify(execFile)(process.execPath, [TSC, "--project", project]);
  return (await run.catch((error: { stdout: string }) => error)).stdout;
}

/** Nothing but a browser: no Node types, and a `lib` that is older than `await using`. */
const PAGE = { lib: ["ES2022", "DOM"], types: [] };

describe("the declarations", () => {
  it.each([
    ["bundler", "ESNext"],
    ["nodenext", "NodeNext"],
  ])("compile for a page under moduleResolution %s", async (moduleResolution, module) => {
    const options = { ...PAGE, moduleResolution, module };
    expect(await complaints(`page-${moduleResolution}`, ["page.ts"], options)).toBe("");
  });

  it("mix between ES modules and CommonJS, in a program for Node", async () => {
    const options = { lib: ["ES2022"], types: ["node"], module: "NodeNext" };
    expect(await complaints("mixed", ["program.mts", "library.cts"], options)).toBe("");
  });
});
