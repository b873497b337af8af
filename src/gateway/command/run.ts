import type { Server as TlsServer } from "node:https";
import { createRequire } from "node:module";
import { ExecServerGateway } from "../gateway.ts";
import type { HttpServer, ListenTarget } from "../http-server.ts";
import { GATEWAY_PROTOCOL } from "../options.ts";
import { isPublic, isWildcard, listenError, removeStaleSocket } from "./address.ts";
import { startAdminServer } from "./admin-server.ts";
import { Configuration } from "./configuration.ts";
import { usage } from "./help.ts";
import { errorText, Log } from "./log.ts";
import { Metrics } from "./metrics.ts";
import { readSettings } from "./read-settings.ts";
import { checkUpstreams } from "./upstream-check.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Runs the command until a signal ends the process. Rejects if it can't start. */
export async function run(args: readonly string[], env: Environment): Promise<void> {
  // A reader that is gone, such as `head -1`, must not end the process.
  for (const output of [process.stdout, process.stderr]) output.on("error", () => {});
  const settings = readSettings(args, env);
  if (settings.given.has("help")) return print(usage());
  if (settings.given.has("version")) return print(`${version()}\n`);
  const metrics = new Metrics(version());
  let log: Log | undefined;
  const configuration = new Configuration(settings, (event) => {
    metrics.count(event);
    log?.page(event);
  });
  log = new Log(process.stderr, configuration.logFormat);
  const gateway = new ExecServerGateway(configuration.options);
  await serve(gateway, configuration, metrics, log);
}

async function serve(
  gateway: ExecServerGateway,
  configuration: Configuration,
  metrics: Metrics,
  log: Log,
): Promise<void> {
  const { listen, admin, options } = configuration;
  await removeStaleSocket(listen);
  const server = await gateway.listenOn(listen).catch((error) => {
    throw listenError("--listen", error);
  });
  try {
    if (admin) await serveAdmin(admin, gateway, options.maxConnections, metrics, log);
  } catch (error) {
    // Listening would keep the process running.
    await gateway.close();
    throw listenError("--admin", error);
  }
  closeOnSignal(gateway, configuration, log);
  reloadOnSignal(gateway, configuration, server, log);
  announce(configuration, server, log);
  await checkUpstreams(configuration.upstreams.all, log);
}

async function serveAdmin(
  admin: ListenTarget,
  gateway: ExecServerGateway,
  maxPages: number,
  metrics: Metrics,
  log: Log,
): Promise<void> {
  await removeStaleSocket(admin);
  await startAdminServer(admin, gateway.readiness, async () =>
    metrics.text({
      pages: [...gateway.pages].length,
      maxPages,
      isReady: (await gateway.readiness.problem()) === undefined,
      lostLogLines: log.lost,
    }),
  );
}

/** The address on standard output, with the token if no file holds one. Warnings go to the log. */
function announce({ listen, options, generatedToken }: Configuration, server: HttpServer, log: Log): void {
  const { authority } = server;
  const scheme = listen.tls ? "wss" : "ws";
  const url = "socketPath" in listen ? `unix:${authority}` : `${scheme}://${authority}${options.path[0]}`;
  print(`Listening on ${url}\n`);
  if (generatedToken !== undefined) {
    print(`Token: ${generatedToken}
A page connects with: webSocket("${url}", { protocols: ["${GATEWAY_PROTOCOL}", "${generatedToken}"] })
`);
  }
  if (isWildcard(listen) && options.allowedHosts.length === 0) {
    log.message(
      "warning",
      "It listens on all addresses, but admits requests for loopback names only: give the name or address by which pages reach it with --host",
    );
  }
  if (isPublic(listen) && !listen.tls) {
    log.message(
      "warning",
      "Other machines can connect, and the traffic is not encrypted: put a TLS proxy in front, or use --tls-cert and --tls-key",
    );
  }
}

function closeOnSignal(gateway: ExecServerGateway, configuration: Configuration, log: Log): void {
  let { graceMs } = configuration;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      log.message("closing", `${signal}: pages may finish within ${graceMs} ms`);
      // A background process of an upstream command can keep its pipes, and so the event loop, open.
      void gateway.close({ graceMs }).then(() => process.exit(0));
      graceMs = 0;
    });
  }
}

/** Reads tokens and certificates again. Pages whose tokens are no longer valid are ended. */
function reloadOnSignal(
  gateway: ExecServerGateway,
  configuration: Configuration,
  { server }: HttpServer,
  log: Log,
): void {
  process.on("SIGHUP", () => {
    try {
      // What throws comes first, so that all files are taken over or none.
      const certificate = configuration.certificate();
      const revoked = new Set(configuration.reload().map(({ user }) => user));
      if (certificate) (server as TlsServer).setSecureContext(certificate);
      const pages = [...gateway.pages].filter(({ user }) => revoked.has(user));
      for (const page of pages) void page.end();
      log.message(
        "reloaded",
        `reloaded tokens and certificates; ended ${pages.length} pages of revoked tokens`,
      );
    } catch (error) {
      const text = error instanceof Error && "code" in error ? errorText(error) : (error as Error).message;
      log.message("reload-failed", `not reloaded, the former tokens and certificates stay: ${text}`);
    }
  });
}

/** That of the package, which the command is in both as source and as built. */
function version(): string {
  return (createRequire(import.meta.url)("exec-server-sdk/package.json") as { version: string }).version;
}

function print(text: string): void {
  process.stdout.write(text);
}
