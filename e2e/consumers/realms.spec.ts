import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { codexBinary, makeCodexHome } from "../../test/support/exec-server.ts";
import { Consumer } from "../support/consumer.ts";
import { GatewayChild } from "../support/gateway-child.ts";
import { type Entry, tabulate } from "../support/matrix-table.ts";
import { Backend } from "./backend.ts";
import { reportOf } from "./page-report.ts";

const TOKEN = "token-of-the-test-environment";

/** The report of `foreign.cjs`. */
const USED = {
  status: { status: "ready" },
  stdout: "hello\n",
  files: ["hello", "hello", "hello"],
  streamed: "104,101,108,108,111",
  atUrl: "hello",
  echoed: "hello",
  aborted: "enough",
  fetched: ["hello", "hello", "hello", "hello", "a=b+c", "hello", true],
};

/** The real server, its gateway for the pages of a test environment, and the parameters that the consumer reads. */
async function withServers(consumer: Consumer, page: string, work: () => Promise<void>): Promise<void> {
  await using backend = await Backend.start();
  const gateway = await GatewayChild.start({ upstream: backend.server.url, origin: page, token: TOKEN });
  try {
    const parameters = {
      url: backend.server.url,
      gateway: `ws://127.0.0.1:${gateway.port}`,
      protocols: ["exec-server-gateway", TOKEN],
      origin: backend.origin.url,
      codex: codexBinary(),
      home: makeCodexHome(),
      expected: USED,
    };
    const file = join(consumer.directory, "parameters.cjs");
    writeFileSync(file, `module.exports = ${JSON.stringify(parameters)};\n`);
    await work();
  } finally {
    await gateway.kill();
  }
}

interface TestRun {
  readonly numPassedTests: number;
  readonly numTotalTests: number;
}

interface Environment {
  /** The file of the tests that run in it. */
  readonly file: string;
  readonly name: string;
  readonly tests: number;
  readonly entries: readonly Entry[];
}

/** The test runners, with the origin of their pages. */
const RUNNERS: readonly { folder: string; title: string; page: string; environments: Environment[] }[] = [
  {
    folder: "jest",
    title: "Jest",
    page: "http://localhost",
    environments: [
      { file: "jsdom.test.js", name: "jsdom", tests: 5, entries: [".", "./node"] },
      { file: "jsdom-node.test.js", name: "jsdom, conditions of Node", tests: 1, entries: [".", "./node"] },
      { file: "fixed-jsdom.test.js", name: "jsdom with fetch (jest-fixed-jsdom)", tests: 1, entries: ["."] },
      { file: "node.test.js", name: "node", tests: 1, entries: ["."] },
    ],
  },
  {
    folder: "vitest",
    title: "Vitest",
    page: "http://localhost:3000",
    environments: [
      { file: "jsdom.test.js", name: "jsdom", tests: 2, entries: [".", "./node"] },
      { file: "happy-dom.test.js", name: "happy-dom", tests: 2, entries: [".", "./node"] },
    ],
  },
];

for (const { folder, title, page, environments } of RUNNERS) {
  test.describe(folder, { tag: "@matrix" }, () => {
    test.describe.configure({ mode: "default", timeout: 120_000 });

    let consumer: Consumer;
    // biome-ignore lint/correctness/noEmptyPattern: the runner reads the parameter's names.
    test.beforeAll(async ({}, info) => {
      consumer = await Consumer.install(folder, "foreign", info);
    });

    for (const { file, name, tests, entries } of environments) {
      // biome-ignore lint/correctness/noEmptyPattern: the runner reads the parameter's names.
      test(`uses a real server in the environment ${name}`, async ({}, info) => {
        tabulate(info, {
          consumer: `${title} ${consumer.versionOf(folder)}`,
          how: `environment ${name}`,
          entries,
        });
        await withServers(consumer, page, async () => {
          const { stdout } = await consumer.run(["npm", "run", "--silent", "test", "--", file], 100_000);
          const { numPassedTests, numTotalTests } = JSON.parse(stdout) as TestRun;
          expect({ numPassedTests, numTotalTests }).toEqual({ numPassedTests: tests, numTotalTests: tests });
        });
      });
    }
  });
}

test.describe("realms", { tag: "@matrix" }, () => {
  test.describe.configure({ mode: "default" });

  let consumer: Consumer;
  // biome-ignore lint/correctness/noEmptyPattern: the runner reads the parameter's names.
  test.beforeAll(async ({}, info) => {
    consumer = await Consumer.install("realms", "foreign", info);
  });

  const KEPT = { kept: "kept", used: USED, usedConnection: USED, state: "closed" };
  const PROGRAMS = {
    "vm-values.mjs": ["values of a vm context", USED],
    "vm-sdk.cjs": ["SDK in a vm context", USED],
    "proxy.mjs": ["client in a deep Proxy", KEPT],
    "vue.mjs": ["client in a ref and a reactive of Vue", KEPT],
  } as const;

  for (const [program, [how, expected]] of Object.entries(PROGRAMS)) {
    // biome-ignore lint/correctness/noEmptyPattern: the runner reads the parameter's names.
    test(how, async ({}, info) => {
      const suffix = program === "vue.mjs" ? `, Vue ${consumer.versionOf("vue")}` : "";
      tabulate(info, { consumer: `Node ${process.versions.node}${suffix}`, how, entries: ["."] });
      await withServers(consumer, "http://unused.example", async () => {
        const { stdout, stderr } = await consumer.run([process.execPath, program]);
        expect(JSON.parse(stdout)).toEqual(expected);
        expect(stderr).toBe("");
      });
    });
  }

  test("values of an iframe in the page, and of the page in the iframe", async ({ page, browser }, info) => {
    const how = "values between a page and its iframe";
    tabulate(info, { consumer: `Chromium ${browser.version()}`, how, entries: ["."] });
    await consumer.run(["npm", "run", "--silent", "build"]);
    const site = join(consumer.directory, "dist");
    for (const name of ["index.html", "frame.html"]) cpSync(join(consumer.directory, name), join(site, name));
    expect(await reportOf(page, site)).toEqual({ inPage: USED, inFrame: USED });
  });
});
