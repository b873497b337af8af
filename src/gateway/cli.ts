#!/usr/bin/env node
import { ExecServerError } from "../errors/error.ts";
import { CommandLineError } from "./command/read-settings.ts";
import { run } from "./command/run.ts";
import { flagOf, SETTING_ENTRIES } from "./command/settings.ts";

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;

/** A misuse is printed by the names of the command's own options. */
function fail(error: unknown): void {
  const isMisuse =
    error instanceof CommandLineError ||
    (error instanceof ExecServerError && error.code === "ERR_INVALID_ARGUMENT");
  const message = isMisuse ? inFlags((error as Error).message) : (error as Error).message;
  process.stderr.write(
    `exec-server-gateway: ${message}\n${isMisuse ? "See exec-server-gateway --help\n" : ""}`,
  );
  process.exitCode = isMisuse ? EXIT_USAGE : EXIT_FAILURE;
}

function inFlags(message: string): string {
  const plain = message.replace(/^createGateway\(\): /, "");
  const [name] = SETTING_ENTRIES.find(([, { option }]) => plain.startsWith(`${option} `)) ?? [];
  return name === undefined ? plain : plain.replace(/^\w+/, flagOf(name));
}

run(process.argv.slice(2), process.env).catch(fail);
