import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { stdio } from "../node/stdio.ts";
import { webSocket } from "../node/websocket.ts";
import type { Transport } from "../transport/transport.ts";

export const USAGE = `Lets the pages of a web application reach a Codex exec-server.

  exec-server-gateway --origin ORIGIN --upstream ws://HOST:PORT [--upstream-token-file FILE] [options]
  exec-server-gateway --origin ORIGIN [options] -- codex exec-server --listen stdio --concurrent-requests 8

The command after -- is started once for each page. A connected page can run any command, so origins, hosts and the
token must match exactly:

  --origin ORIGIN              a page that may connect, such as https://ide.example; repeatable
  --host NAME                  a further host name of the gateway, such as that of a reverse proxy; repeatable
  --listen HOST:PORT           the address to listen on (default 127.0.0.1:8787)
  --token-file FILE            the token that pages must send; without it, one is generated and printed once
  --upstream URL               the exec-server, a ws: or wss: URL
  --upstream-token-file FILE   the bearer token for the exec-server
  --help                       print this text
`;

/** A mistake in the command line. The message is printed as it is. */
export class CommandLineError extends Error {}

export interface CommandLine {
  readonly upstream: Transport;
  readonly origins: readonly string[];
  readonly hosts: readonly string[];
  readonly listen: { readonly host: string; readonly port: number };
  /** Undefined when a token is to be generated. */
  readonly token: string | undefined;
}

/** Returns undefined when only help is requested. Throws a CommandLineError for arguments that can't work. */
export function parseCommandLine(args: readonly string[]): CommandLine | undefined {
  const { values, command } = parse(args);
  if (values.help) return undefined;
  if (!values.origin) throw new CommandLineError("--origin must be the origin of a page, got none");
  return {
    upstream: upstreamOf(values.upstream, values["upstream-token-file"], command),
    origins: values.origin,
    hosts: values.host ?? [],
    listen: listenAddress(values.listen),
    token: tokenIn("--token-file", values["token-file"]),
  };
}

function parse(args: readonly string[]) {
  // Split here, because parseArgs does not distinguish arguments before `--` from those after it.
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
    // Only the first sentence: the others suggest positional arguments, which this command does not take.
    throw new CommandLineError((error as Error).message.replace(/\. .*$/s, ""));
  }
}

function upstreamOf(
  url: string | undefined,
  tokenFile: string | undefined,
  command: readonly string[] | undefined,
): Transport {
  if ((url === undefined) === (command === undefined)) {
    const got = url === undefined ? "neither" : "both";
    throw new CommandLineError(`The exec-server must be either --upstream URL or -- COMMAND, got ${got}`);
  }
  const token = tokenIn("--upstream-token-file", tokenFile);
  if (url !== undefined) {
    return webSocket(url, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
  }
  if (token !== undefined) {
    throw new CommandLineError("--upstream-token-file must be used with --upstream, got a command");
  }
  const [program = "", ...rest] = command ?? [];
  if (program === "") throw new CommandLineError("-- must be followed by a command, got none");
  return stdio({ command: program, args: rest, stderr: "inherit" });
}

function listenAddress(text: string): { host: string; port: number } {
  const [, host = "", digits] = /^(\[[^\]]+\]|[^:]+):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (!(port <= 65_535)) {
    const got = JSON.stringify(text);
    throw new CommandLineError(`--listen must be HOST:PORT such as 127.0.0.1:8787, got ${got}`);
  }
  return { host: host.replace(/^\[|\]$/g, ""), port };
}

function tokenIn(option: string, file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  let token: string;
  try {
    token = readFileSync(file, "utf8").trim();
  } catch (error) {
    const { code } = error as { code?: unknown };
    throw new CommandLineError(`${option} must be a readable file, got ${String(code)}`);
  }
  if (!/^[\x21-\x7e]+$/.test(token)) {
    const got = token === "" ? "an empty file" : "other characters";
    throw new CommandLineError(`${option} must hold a token of visible ASCII characters, got ${got}`);
  }
  return token;
}
