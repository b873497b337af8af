import { expect, test } from "@playwright/test";
import { Consumer } from "../support/consumer.ts";
import { type Entry, tabulate } from "../support/matrix-table.ts";
import { Backend, EXPECTED } from "./backend.ts";
import { RUNTIMES, THIS_NODE } from "./runtimes.ts";

const ENTRIES: readonly Entry[] = [".", "./node", "./gateway"];
const FORMATS = { ESM: "main.mjs", CommonJS: "main.cjs" };

for (const runtime of RUNTIMES) {
  const tag = runtime === THIS_NODE ? "@quick" : "@matrix";
  test.describe(runtime.folder, { tag }, () => {
    test.describe.configure({ mode: "default" });

    let consumer: Consumer;
    // biome-ignore lint/correctness/noEmptyPattern: the runner reads the parameter's names.
    test.beforeAll(async ({}, info) => {
      consumer = await Consumer.install(runtime.folder, "programs", info);
    });

    for (const [format, program] of Object.entries(FORMATS)) {
      for (const entry of ENTRIES) {
        // biome-ignore lint/correctness/noEmptyPattern: the runner reads the parameter's names.
        test(`${entry} as ${format}`, async ({}, info) => {
          const name = `${runtime.name} ${runtime.version(consumer)}`;
          tabulate(info, { consumer: name, how: format, entries: [entry] });
          await using backend = await Backend.start();
          // The program must also exit without process.exit(): a closed client keeps no process running.
          const { stdout, stderr } = await consumer.run([
            ...runtime.command(consumer),
            program,
            backend.parameters(entry),
          ]);
          expect(JSON.parse(stdout)).toEqual({ runtime: name, ...EXPECTED[entry] });
          expect(stderr).toBe("");
        });
      }
    }
  });
}
