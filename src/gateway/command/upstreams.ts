import type { IncomingMessage } from "node:http";
import { ConnectError } from "../../errors/connection.ts";
import { stdio } from "../../node/stdio.ts";
import { webSocket } from "../../node/websocket.ts";
import type { Transport } from "../../transport/transport.ts";
import { pathOf } from "../admission.ts";
import type { UpstreamContext } from "../options.ts";
import { CommandLineError, type Settings, textOf } from "./read-settings.ts";
import { type BearerFile, bearerFile, bearerToken, type RemoteUpstream } from "./secrets.ts";

/** An exec-server, and how it is named in the log. */
export interface NamedUpstream {
  readonly name: string;
  /** Undefined for a command. */
  readonly url?: string;
  readonly bearer?: BearerFile;
  readonly transport: Transport;
}

/** The exec-servers of the command: one for all, one for a path, one for a user. */
export class Upstreams {
  readonly #bearer: BearerFile | undefined;
  readonly #default: NamedUpstream | undefined;
  /** Whether every page has the same exec-server, also after a reload. */
  readonly #isShared: boolean;
  readonly #byPath = new Map<string, NamedUpstream>();
  #byUser: ReadonlyMap<string, NamedUpstream> = new Map();
  /** Bearer tokens by file. */
  #tokens: ReadonlyMap<string, string> = new Map();

  constructor(settings: Settings) {
    this.#bearer = bearerFile("--upstream-token-file", textOf(settings, "upstream-token-file"));
    this.#default = this.#defaultOf(settings);
    this.#isShared = !settings.given.has("route") && !settings.given.has("tokens-file");
    for (const route of settings.given.get("route")?.values ?? []) {
      const [, path, url] = /^(\/[^=\s?#]*)=(wss?:.+)$/.exec(route) ?? [];
      if (path === undefined || url === undefined) {
        throw new CommandLineError("--route must be PATH=URL such as /ada=ws://10.0.0.7:9000");
      }
      if (this.#byPath.has(path)) throw new CommandLineError(`--route must differ, got ${path} twice`);
      this.#byPath.set(path, this.#remote({ option: `--route ${path}`, url, bearer: this.#bearer }));
    }
  }

  /** The paths that have an exec-server. */
  paths(main: string): string[] {
    const hasMain = this.#default !== undefined || this.#byUser.size > 0;
    return [...(hasMain ? [main] : []), ...this.#byPath.keys()];
  }

  get all(): NamedUpstream[] {
    return this.#allWith(this.#byUser);
  }

  /**
   * Takes over the users' own exec-servers and reads the bearer tokens again. Throws, and changes nothing, if one can't be
   * used.
   *
   * @param names All users; undefined for the token of no user.
   */
  load(users: ReadonlyMap<string, RemoteUpstream>, names: readonly (string | undefined)[]): void {
    const without = names.findIndex((name) => name === undefined || !users.has(name));
    if (!this.#default && this.#byPath.size === 0 && without >= 0) {
      const who = names[without] === undefined ? "" : ` of ${JSON.stringify(names[without])}`;
      throw new CommandLineError(
        `The exec-server${who} must be --upstream URL, -- COMMAND or upstream in the tokens file, got none`,
      );
    }
    const byUser = new Map([...users].map(([user, upstream]) => [user, this.#remote(upstream)]));
    // Not those of users who are gone: their files may be gone as well.
    const files = this.#allWith(byUser).flatMap(({ bearer }) => bearer ?? []);
    this.#tokens = new Map(files.map((bearer) => [bearer.file, bearerToken(bearer)]));
    this.#byUser = byUser;
  }

  /** One transport if it is the same for every page, which `/readyz` then judges. */
  get option(): Transport | ((request: IncomingMessage, page: UpstreamContext) => Transport) {
    if (this.#default && this.#isShared) return this.#default.transport;
    return (request, { user }) => {
      const own = user === undefined ? undefined : this.#byUser.get(user);
      const { transport } = own ?? this.#byPath.get(pathOf(request)) ?? this.#default ?? {};
      if (!transport) throw new ConnectError("This user has no exec-server", { phase: "dial" });
      return transport;
    };
  }

  #allWith(byUser: ReadonlyMap<string, NamedUpstream>): NamedUpstream[] {
    return [...(this.#default ? [this.#default] : []), ...this.#byPath.values(), ...byUser.values()];
  }

  #defaultOf(settings: Settings): NamedUpstream | undefined {
    const { command } = settings;
    const url = textOf(settings, "upstream");
    if (url !== undefined && command !== undefined) {
      throw new CommandLineError("The exec-server must be either --upstream URL or -- COMMAND, got both");
    }
    if (url !== undefined) return this.#remote({ option: "--upstream", url, bearer: this.#bearer });
    if (command === undefined) {
      if (settings.given.has("route") || settings.given.has("tokens-file")) return undefined;
      throw new CommandLineError("The exec-server must be either --upstream URL or -- COMMAND, got neither");
    }
    if (this.#bearer && !settings.given.has("route")) {
      throw new CommandLineError("--upstream-token-file must be used with --upstream, got a command");
    }
    const [program = "", ...args] = command;
    if (program === "") throw new CommandLineError("-- must be followed by a command, got none");
    const caller = command[command.indexOf("exec-server") - 1] ?? "";
    if (/(^|[\\/])codex(\.\w+)?$/.test(caller) && !args.some((word) => word.includes("stdio")))
      throw new CommandLineError("The command must have --listen stdio: its messages go through its pipes");
    return { name: program, transport: stdio({ command: program, args, stderr: "inherit" }) };
  }

  /** The token is read again after a reload, so the address is made for each dial. */
  #remote({ option, url, bearer }: RemoteUpstream): NamedUpstream {
    const plain = plainTransport(option, url);
    const { host, pathname, protocol } = new URL(url);
    const name = `${protocol}//${host}${pathname}`;
    if (!bearer) return { name, url, transport: plain };
    const headers = () => ({ authorization: `Bearer ${this.#tokens.get(bearer.file)}` });
    return { name, url, bearer, transport: webSocket(() => ({ url, headers: headers() })) };
  }
}

/** Checks the URL now: a function is called at the first dial only. The error names the option. */
function plainTransport(option: string, url: string): Transport {
  try {
    return webSocket(url);
  } catch (error) {
    throw new CommandLineError((error as Error).message.replace("The target of webSocket()", option));
  }
}
