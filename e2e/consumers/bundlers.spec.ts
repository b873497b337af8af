import { cpSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { Consumer } from "../support/consumer.ts";
import { tabulate } from "../support/matrix-table.ts";
import { Backend, EXPECTED } from "./backend.ts";
import { reportOf } from "./page-report.ts";

const BUNDLERS = { esbuild: "esbuild", rollup: "Rollup", vite: "Vite", webpack: "webpack" };

for (const [bundler, title] of Object.entries(BUNDLERS)) {
  test.describe(bundler, { tag: bundler === "esbuild" ? "@quick" : "@matrix" }, () => {
    test.describe.configure({ mode: "default" });

    let consumer: Consumer;
    // biome-ignore lint/correctness/noEmptyPattern: the runner reads the parameter's names.
    test.beforeAll(async ({}, info) => {
      consumer = await Consumer.install(bundler, "programs", info);
    });

    test("builds a page that works under a strict Content-Security-Policy", async ({
      page,
      browser,
    }, info) => {
      const name = `${title} ${consumer.versionOf(bundler)}`;
      tabulate(info, { consumer: name, how: `page in Chromium ${browser.version()}`, entries: ["."] });
      const site = await build(consumer);
      expect(await reportOf(page, site, { reachesOrigin: true })).toEqual(EXPECTED.page);
      expect(scriptOf(site)).not.toMatch(/["']node:|\brequire\(|sec-websocket|permessage-deflate/i);
    });

    if (bundler !== "esbuild") return;
    for (const format of ["esm", "cjs"] as const) {
      const program = { esm: "program for Node, ESM, ws external", cjs: "program for Node, CommonJS" }[
        format
      ];
      // biome-ignore lint/correctness/noEmptyPattern: the runner reads the parameter's names.
      test(`builds a ${program}`, async ({}, info) => {
        const name = `${title} ${consumer.versionOf(bundler)}`;
        const entries = [".", "./node", "./gateway"] as const;
        tabulate(info, { consumer: name, how: program, entries });
        await runBuild(consumer, `build:node-${format}`);
        for (const entry of entries) {
          await using backend = await Backend.start();
          const file = `dist/main.${format === "esm" ? "mjs" : "cjs"}`;
          const { stdout } = await consumer.run([process.execPath, file, backend.parameters(entry)]);
          expect(JSON.parse(stdout)).toMatchObject(EXPECTED[entry]);
        }
      });
    }
  });
}

/** Builds the page as a user does. Returns its directory. */
async function build(consumer: Consumer): Promise<string> {
  await runBuild(consumer, "build");
  const site = join(consumer.directory, "dist");
  if (!existsSync(join(site, "index.html")))
    cpSync(join(consumer.directory, "index.html"), join(site, "index.html"));
  return site;
}

async function runBuild(consumer: Consumer, script: string): Promise<void> {
  const { stdout, stderr } = await consumer.run(["npm", "run", "--silent", script], 60_000);
  expect(stdout + stderr).not.toMatch(/warn|\(!\)/i);
}

function scriptOf(site: string): string {
  const scripts = readdirSync(site, { recursive: true, encoding: "utf8" }).filter((name) =>
    /^(page|assets.*)\.js$/.test(name),
  );
  expect(scripts.length).toBeGreaterThan(0);
  return scripts.map((name) => readFileSync(join(site, name), "utf8")).join("\n");
}
