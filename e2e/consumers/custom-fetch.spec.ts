import { expect, test } from "@playwright/test";
import { Consumer } from "../support/consumer.ts";
import { tabulate } from "../support/matrix-table.ts";
import { Backend } from "./backend.ts";

const LIBRARIES = ["openai", "ky", "axios", "@modelcontextprotocol/sdk"];

test.describe("libraries with a custom fetch", { tag: "@matrix" }, () => {
  let consumer: Consumer;
  // biome-ignore lint/correctness/noEmptyPattern: the runner reads the parameter's names.
  test.beforeAll(async ({}, info) => {
    consumer = await Consumer.install("custom-fetch", "programs", info);
  });

  // biome-ignore lint/correctness/noEmptyPattern: the runner reads the parameter's names.
  test("work over that of a client, on either connection", async ({}, info) => {
    const versions = LIBRARIES.map((name) => `${name} ${consumer.versionOf(name)}`);
    tabulate(info, { consumer: versions.join(", "), how: "custom fetch", entries: ["."] });
    await using backend = await Backend.start();
    const program = [process.execPath, "libraries.mjs", backend.parameters(".")];
    const { stdout } = await consumer.run(program, 60_000);
    const results = {
      openai: ["hi", "ab", "uploaded"],
      ky: [3, 1, "TimeoutError"],
      axios: [1, "0", "text", 404, "ETIMEDOUT"],
    };
    expect(JSON.parse(stdout)).toEqual({
      shared: { ...results, mcp: ["greet", "hello"] },
      own: results,
    });
  });
});
