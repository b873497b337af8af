import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { optionsTable, usage } from "../../../src/gateway/command/help.ts";
import { SETTING_ENTRIES } from "../../../src/gateway/command/settings.ts";
import { GatewayCommand } from "../../support/gateway-command.ts";

test("--help prints every option", async () => {
  await using command = new GatewayCommand("--help");
  expect(await command.exited).toBe(0);
  expect(command.stdout).toBe(usage());
  for (const [name] of SETTING_ENTRIES) expect(command.stdout).toContain(`  --${name} `);
});

test("--version prints the version of the package", async () => {
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  await using command = new GatewayCommand("--version");
  expect(await command.exited).toBe(0);
  expect(command.stdout).toBe(`${version}\n`);
});

test("the docs have the table of options as it is", () => {
  expect(readFileSync("docs/gateway.md", "utf8")).toContain(optionsTable());
});
