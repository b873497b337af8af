import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { stdio } from "../node/stdio.ts";
import { webSocket } from "../node/websocket.ts";
import type { Transport } from "../transport/transport.ts";

export const USAGE = `Lets the pages of a web application reach a Codex exec-server.

  exec-server-gateway --origin ORIGIN --upstream ws://HOST:PORT [--upstream-token-file FILE] [options]
  exec-server-gateway --origin ORIGIN [options] -- codex exec-server --listen stdio --concurrent-requests 8

What follows -- is started once for each page. Whoever gets in can run any command, so all of this is exact:

  --origin ORIGIN              a page that may connect, such as https://ide.example; may be repeated
  --host NAME                  a further host name the gateway is reached by, such as that of a reverse proxy; may be repeated
  --listen HOST:PORT           where to listen (default 127.0.0.1:8787)
  --token-file FILE            the token that pages must send; without it one is made and printed once
  --upstream URL               the exec-server, a ws: or wss: URL
  --upstream-token-file FILE   the bearer token the exec-server wants
  --help                       this text
`;

/** What the caller got wrong, in words for the caller. */
export class CommandLineError extends Error {}

export interface CommandLine {
  readonly upstream: Transport;
  readonly origins: readonly string[];
  readonly hosts: readonly string[];
  readonly listen: { readonly host: string; readonly port: number };
  /** Undefined when one is to be made. */
  readonly token: string | undefined;
}

/** Undefined when only help is wanted; throws a CommandLineError for everything that can't be meant. */
export function parseCommandLine(args: readonly string[]): CommandLine | undefined {
  const { values, command } = parse(args);
  if (values.help) return undefined;
  if (!values.origin) throw new CommandLineError("--origin is missing: which pages may connect?");
  return {
    upstream: upstreamOf(values.upstream, values["upstream-token-file"], command),
    origins: values.origin,
    hosts: values.host ?? [],
    listen: listenAddress(values.listen),
    token: tokenIn("--token-file", values["token-file"]),
  };
}

function parse(args: readonly string[]) {
  // Not left to parseArgs: it can't tell a word before the two dashes from one behind them.
  const end = args.indexOf("--");
  try {
    const { values } = parseArgs({
      args: args.slice(0, end < 0 ? args.length : end),
      options: {
        help: { type: "boolean", short: "h" },
        host: { type: "string", multiple: true },
        listen: { type: "string", default: "127.0.0.1:8787" },
        origin: { type: "string", multiple: true },
        "token-file": { type: "string" },
        upstream: { type: "string" },
        "upstream-token-file": { type: "string" },
      },
    });
    return { values, command: end < 0 ? undefined : args.slice(end + 1) };
  } catch (error) {
    // Its hint at "-- -x" is about positional arguments, which there are none of.
    throw new CommandLineError((error as Error).message.replace(/\. .*$/s, ""));
  }
}

function upstreamOf(
  url: string | undefined,
  tokenFile: string | undefined,
  command: readonly string[] | undefined,
): Transport {
  if ((url === undefined) === (command === undefined)) {
    throw new CommandLineError("exactly one is needed: --upstream URL, or -- and a command");
  }
  const token = tokenIn("--upstream-token-file", tokenFile);
  if (url !== undefined) {
    return webSocket(url, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
  }
  if (token !== undefined) throw new CommandLineError("--upstream-token-file belongs to --upstream");
  const [program = "", ...rest] = command ?? [];
  if (program === "") throw new CommandLineError("there is no command behind the --");
  return stdio({ command: program, args: rest, stderr: "inherit" });
}

function listenAddress(text: string): { host: string; port: number } {
  const [, host = "", digits] = /^(\[[^\]]+\]|[^:]+):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (!(port <= 65_535)) throw new CommandLineError("--listen wants HOST:PORT, such as 127.0.0.1:8787");
  return { host: host.replace(/^\[|\]$/g, ""), port };
}

function tokenIn(option: string, file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  let token: string;
  try {
    token = readFileSync(file, "utf8").trim();
  } catch (error) {
    const { code } = error as { code?: unknown };
    throw new CommandLineError(`${option}: the file can't be read (${String(code)})`);
  }
  if (!/^[\x21-\x7e]+$/.test(token)) throw new CommandLineError(`${option}: the file holds no token`);
  return token;
}
