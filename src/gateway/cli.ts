#!/usr/bin/env node
import { randomBytes } from "node:crypto";
import { isIP } from "node:net";
import { ExecServerError } from "../errors.ts";
import { CommandLineError, parseCommandLine, USAGE } from "./cli-options.ts";
import { createGateway, type Gateway } from "./gateway.ts";
import { GATEWAY_PROTOCOL, type PageEvent } from "./options.ts";

const MISUSED = 2;
const FAILED = 1;
/** How long pages may go on after the signal to stop; a second signal cuts it short. */
const GRACE_MS = 2_000;

async function main(): Promise<void> {
  const wanted = parseCommandLine(process.argv.slice(2));
  if (!wanted) return say(USAGE);
  const token = wanted.token ?? randomBytes(32).toString("base64url");
  const gateway = createGateway({
    upstream: wanted.upstream,
    allowedOrigins: wanted.origins,
    allowedHosts: wanted.hosts,
    authorize: { token },
    onPage: log,
  });
  const { url } = await gateway.listen(wanted.listen);
  stopOnSignal(gateway);
  say(`Listening on ${url}\n`);
  if (wanted.token === undefined) say(introduction(url, token));
  if (!isLoopback(wanted.listen.host)) {
    warn("It can be reached from other machines, and does not encrypt: put a proxy with TLS before it.");
  }
}

/** Shown once, where no file holds the token. */
function introduction(url: string, token: string): string {
  return `Token: ${token}
A page connects with: webSocket("${url}", { protocols: ["${GATEWAY_PROTOCOL}", "${token}"] })
`;
}

function stopOnSignal(gateway: Gateway): void {
  let graceMs = GRACE_MS;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      // What a command has started in the background must not keep this process.
      void gateway.close({ graceMs }).then(() => process.exit(0));
      graceMs = 0;
    });
  }
}

function log({ state, origin, closeCode, error }: PageEvent): void {
  // Only our own errors are known to hold no secret.
  const why = error instanceof ExecServerError ? `: ${error.message}` : "";
  warn(state === "closed" ? `closed ${origin} ${closeCode}${why}` : `connected ${origin}`);
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

function say(text: string): void {
  process.stdout.write(text);
}

function warn(line: string): void {
  process.stderr.write(`${line}\n`);
}

function complain(error: unknown): void {
  const isMisuse =
    error instanceof CommandLineError ||
    (error instanceof ExecServerError && error.code === "ERR_INVALID_ARGUMENT");
  warn(`exec-server-gateway: ${(error as Error).message}`);
  if (isMisuse) warn("See exec-server-gateway --help");
  process.exitCode = isMisuse ? MISUSED : FAILED;
}

main().catch(complain);
