import { cpSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { Consumer } from "../support/consumer.ts";
import { type Entry, tabulate } from "../support/matrix-table.ts";

/** The oldest supported version, the newest in JavaScript, and the newest native one. */
const COMPILERS = ["typescript-5.7", "typescript-6", "typescript-7"];
/** Each module resolution with its `module` setting. */
const RESOLUTIONS = { bundler: "esnext", node16: "node16", nodenext: "nodenext" };
const PROJECTS: Record<string, readonly Entry[]> = { node: [".", "./node", "./gateway"], browser: ["."] };

for (const compiler of COMPILERS) {
  test.describe(compiler, { tag: "@matrix" }, () => {
    test.describe.configure({ mode: "default", timeout: 150_000 });

    let consumer: Consumer;
    // biome-ignore lint/correctness/noEmptyPattern: the runner reads the parameter's names.
    test.beforeAll(async ({}, info) => {
      consumer = await Consumer.install(compiler, "types", info);
      const project = join(consumer.directory, "node");
      // The same file again, with the declarations for CommonJS.
      cpSync(join(project, "usage.mts"), join(project, "usage-in-cjs.cts"));
    });

    for (const [project, entries] of Object.entries(PROJECTS)) {
      for (const [resolution, module] of Object.entries(RESOLUTIONS)) {
        // biome-ignore lint/correctness/noEmptyPattern: the runner reads the parameter's names.
        test(`accepts a ${project} project under ${resolution}`, async ({}, info) => {
          const name = `TypeScript ${consumer.versionOf("typescript")}`;
          const how = `${project} project: ${Object.keys(RESOLUTIONS).join(", ")}`;
          tabulate(info, { consumer: name, how, entries });
          const tsc = consumer.file("typescript/bin/tsc");
          const flags = ["--project", project, "--module", module, "--moduleResolution", resolution];
          const { stdout } = await consumer.run([process.execPath, tsc, ...flags], 120_000);
          expect(stdout).toBe("");
        });
      }
    }
  });
}
