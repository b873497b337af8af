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

describe("the declarations", () => {
  it("compile for a page that has nothing but a browser, and a lib older than `await using`", async () => {
    const options = { lib: ["ES2022", "DOM"], types: [], module: "ESNext", moduleResolution: "bundler" };
    expect(await complaints("page", ["page.ts"], options)).toBe("");
  });

  it("mix between ES modules and CommonJS, in a program for Node without a DOM", async () => {
    const options = { lib: ["ES2022"], types: ["node"], module: "NodeNext" };
    expect(await complaints("mixed", ["program.mts", "library.cts"], options)).toBe("");
  });
});
