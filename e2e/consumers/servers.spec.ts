import { expect, test } from "@playwright/test";
import { codexBinary } from "../../test/support/exec-server.ts";
import { Consumer } from "../support/consumer.ts";
import { type Entry, tabulate } from "../support/matrix-table.ts";
import { Backend, EXPECTED } from "./backend.ts";

const ENTRIES: readonly Entry[] = [".", "./node", "./gateway"];
/** Folders with a server that is older than the one of this repository. */
const SERVERS = ["server-0.169"];

for (const folder of SERVERS) {
  test.describe(folder, { tag: "@matrix" }, () => {
    test.describe.configure({ mode: "default" });

    let consumer: Consumer;
    // biome-ignore lint/correctness/noEmptyPattern: the runner reads the parameter's names.
    test.beforeAll(async ({}, info) => {
      consumer = await Consumer.install(folder, "programs", info);
    });

    for (const entry of ENTRIES) {
      // biome-ignore lint/correctness/noEmptyPattern: the runner reads the parameter's names.
      test(`${entry} with an older server`, async ({}, info) => {
        const name = `Node ${process.versions.node}`;
        const how = `ESM, server ${consumer.versionOf("@openai/codex")}`;
        tabulate(info, { consumer: name, how, entries: [entry] });
        await using backend = await Backend.start(codexBinary(consumer.file("exec-server-sdk/package.json")));
        const { stdout, stderr } = await consumer.run([
          process.execPath,
          "main.mjs",
          backend.parameters(entry),
        ]);
        expect(JSON.parse(stdout)).toEqual({ runtime: name, ...EXPECTED[entry] });
        expect(stderr).toBe("");
      });
    }
  });
}
