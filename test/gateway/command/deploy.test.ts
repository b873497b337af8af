import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { memberOf, SETTING_ENTRIES, variableOf } from "../../../src/gateway/command/settings.ts";

const ROOT = join(import.meta.dirname, "../../..");
const DEPLOY = join(ROOT, "examples/deploy");
const FILES = [...readdirSync(DEPLOY).map((name) => join(DEPLOY, name)), join(ROOT, "docs/gateway.md")];
const FLAGS = SETTING_ENTRIES.map(([name]) => `--${name}`);
const VARIABLES = SETTING_ENTRIES.map(([name]) => variableOf(name));

test.each(FILES)("%s uses flags and variables that exist", (file) => {
  const text = readFileSync(file, "utf8");
  // A line that runs another program has other flags.
  const ownLines = text
    .split("\n")
    .filter((line) => !/\b(npm|useradd|install|systemctl|docker)\b/.test(line));
  const flags = ownLines.join("\n").match(/(?<=[\s`])--[a-z][a-z-]+/g) ?? [];
  const variables = text.match(/EXEC_SERVER_GATEWAY_[A-Z_]+/g) ?? [];
  const members = [...text.matchAll(/"(listen|graceMs|maxConnections|origin)":/g)].map(([, name]) => name);
  const foreign = ["--interval", "--timeout"];
  expect(flags.filter((flag) => !FLAGS.includes(flag) && !foreign.includes(flag))).toEqual([]);
  expect(variables.filter((name) => !VARIABLES.includes(name))).toEqual([]);
  expect(members.filter((name) => !SETTING_ENTRIES.some(([each]) => memberOf(each) === name))).toEqual([]);
});
