#!/usr/bin/env node
import { randomBytes } from "node:crypto";
import { isIP } from "node:net";
import { ExecServerError } from "../errors.ts";
import { CommandLineError, parseCommandLine, USAGE } from "./cli-options.ts";
import type { GatewayEvent } from "./events.ts";
import { createGateway, type Gateway } from "./gateway.ts";
import { GATEWAY_PROTOCOL } from "./options.ts";

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;
/** Milliseconds in which pages may finish after the first signal. A second signal ends the period. */
const GRACE_MS = 2_000;

async function main(): Promise<void> {
  const commandLine = parseCommandLine(process.argv.slice(2));
  if (!commandLine) return print(USAGE);
  const token = commandLine.token ?? randomBytes(32).toString("base64url");
  const gateway = createGateway({
    upstream: commandLine.upstream,
    allowedOrigins: commandLine.origins,
    allowedHosts: commandLine.hosts,
    authorize: { token },
    onEvent: log,
  });
  const { url } = await gateway.listen(commandLine.listen);
  closeOnSignal(gateway);
  print(`Listening on ${url}\n`);
  if (commandLine.token === undefined) print(instructions(url, token));
  if (!isLoopback(commandLine.listen.host)) {
    printError("Other machines can connect, and the traffic is not encrypted: put a TLS proxy in front.");
  }
}

/** Printed once, when no file holds the token. */
function instructions(url: string, token: string): string {
  return `Token: ${token}
A page connects with: webSocket("${url}", { protocols: ["${GATEWAY_PROTOCOL}", "${token}"] })
`;
}

function closeOnSignal(gateway: Gateway): void {
  let graceMs = GRACE_MS;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      // A background process of an upstream command can keep its pipes, and so the event loop, open.
      void gateway.close({ graceMs }).then(() => process.exit(0));
      graceMs = 0;
    });
  }
}

function log({ type, origin, closeCode, error }: GatewayEvent): void {
  // Messages of other errors may contain secrets.
  const why = error instanceof ExecServerError ? `: ${error.message}` : "";
  printError(`${type} ${origin}${closeCode === undefined ? "" : ` ${closeCode}`}${why}`);
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

function print(text: string): void {
  process.stdout.write(text);
}

function printError(line: string): void {
  process.stderr.write(`${line}\n`);
}

function fail(error: unknown): void {
  const isMisuse =
    error instanceof CommandLineError ||
    (error instanceof ExecServerError && error.code === "ERR_INVALID_ARGUMENT");
  printError(`exec-server-gateway: ${(error as Error).message}`);
  if (isMisuse) printError("See exec-server-gateway --help");
  process.exitCode = isMisuse ? EXIT_USAGE : EXIT_FAILURE;
}

main().catch(fail);
