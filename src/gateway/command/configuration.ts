import { randomBytes } from "node:crypto";
import { createSecureContext } from "node:tls";
import { isTrusted, peerAddress, type TrustedProxies } from "../address.ts";
import type { AuthorizeFunction } from "../authorization.ts";
import type { ListenTarget } from "../http-server.ts";
import type { Identity } from "../identity.ts";
import type { GatewayOptions, ResolvedGatewayOptions } from "../options.ts";
import { resolveOptions } from "../resolve-options.ts";
import { type TokenEntry, TokenList } from "../tokens.ts";
import { addressIn } from "./address.ts";
import { CommandLineError, numberOf, readBytes, type Settings, textOf } from "./read-settings.ts";
import { pageToken, usersIn } from "./secrets.ts";
import { flagOf, SETTING_ENTRIES, type SettingName } from "./settings.ts";
import { Upstreams } from "./upstreams.ts";

/** Longest name of a user in a header. */
const MAX_USER_LENGTH = 200;

/** The command's settings, read and checked. */
export class Configuration {
  readonly #settings: Settings;
  readonly upstreams: Upstreams;
  readonly options: ResolvedGatewayOptions;
  readonly listen: ListenTarget;
  readonly admin: ListenTarget | undefined;
  readonly logFormat: "text" | "json";
  readonly graceMs: number;
  /** Set if no setting says who may connect. */
  readonly generatedToken: string | undefined;

  /** Throws a CommandLineError or a UsageError for settings that can't work. */
  constructor(settings: Settings, onEvent: GatewayOptions["onEvent"]) {
    this.#settings = settings;
    if (!settings.given.has("origin")) {
      throw new CommandLineError("--origin must be the origin of a page, got none");
    }
    this.upstreams = new Upstreams(settings);
    this.listen = { ...addressIn("--listen", textOf(settings, "listen") ?? ""), tls: this.certificate() };
    const admin = textOf(settings, "admin");
    this.admin = admin === undefined ? undefined : addressIn("--admin", admin);
    this.logFormat = logFormat(textOf(settings, "log"));
    this.graceMs = numberOf(settings, "grace-ms") ?? Number(textOf(settings, "grace-ms"));
    this.generatedToken = this.#needsToken() ? randomBytes(32).toString("base64url") : undefined;
    const authorize = this.#authorize();
    const resolved = resolveOptions({
      ...(this.#plainOptions() as Pick<GatewayOptions, "allowedOrigins">),
      upstream: this.upstreams.option,
      path: this.upstreams.paths(textOf(settings, "path") ?? "/"),
      // Replaced below: tokens with limits and a reload are more than the option can say.
      authorize: () => false,
      onEvent,
    });
    this.options = {
      ...resolved,
      authorize: authorize instanceof TokenList ? authorize : authorize(resolved.trustProxy),
    };
  }

  /** The certificate with its key, read again at each call. Throws if they can't be used. */
  certificate(): { readonly cert: Buffer; readonly key: Buffer } | undefined {
    const cert = textOf(this.#settings, "tls-cert");
    const key = textOf(this.#settings, "tls-key");
    if ((cert === undefined) !== (key === undefined)) {
      throw new CommandLineError("--tls-cert and --tls-key must be used together, got one of them");
    }
    if (cert === undefined || key === undefined) return undefined;
    const pair = { cert: readBytes("--tls-cert", cert), key: readBytes("--tls-key", key) };
    try {
      createSecureContext(pair);
    } catch (error) {
      const { code } = error as { code?: unknown };
      throw new CommandLineError(
        `--tls-cert and --tls-key must hold a certificate chain and its key as PEM, got ${String(code)} for them`,
      );
    }
    return pair;
  }

  /**
   * Reads the files with tokens again. Throws, and keeps the former ones, if one can't be used. Returns the identities whose
   * tokens are no longer valid.
   */
  reload(): Identity[] {
    const { authorize } = this.options;
    const tokens = this.#load();
    return authorize instanceof TokenList ? authorize.replace(tokens) : [];
  }

  #needsToken(): boolean {
    const names: SettingName[] = ["token-file", "tokens-file", "auth-header"];
    const given = names.filter((name) => this.#settings.given.has(name));
    if (given.includes("auth-header") && given.length > 1) {
      throw new CommandLineError(
        `--auth-header must be used without tokens, got ${flagOf(given[0] ?? "")} too`,
      );
    }
    return given.length === 0;
  }

  #authorize(): TokenList | ((trusted: TrustedProxies) => AuthorizeFunction) {
    const tokens = this.#load();
    const header = textOf(this.#settings, "auth-header")?.toLowerCase();
    if (header === undefined) return new TokenList(tokens);
    if (!/^[a-z0-9-]+$/.test(header)) {
      throw new CommandLineError("--auth-header must be the name of a header such as X-Forwarded-User");
    }
    if (!this.#settings.given.has("trust-proxy") && !("socketPath" in this.listen)) {
      throw new CommandLineError(
        "--auth-header must be used with --trust-proxy or --listen unix:PATH: others could name any user",
      );
    }
    return (trusted) => userByHeader(header, trusted);
  }

  /** Reads the tokens of pages and, with the users' exec-servers, those for exec-servers. Throws before it changes any. */
  #load(): TokenEntry[] {
    const single = textOf(this.#settings, "token-file");
    const several = textOf(this.#settings, "tokens-file");
    const users = several === undefined ? undefined : usersIn("--tokens-file", several);
    const own: TokenEntry[] = single === undefined ? [] : [[pageToken("--token-file", single), {}]];
    const tokens = [...own, ...(users?.tokens ?? [])];
    this.upstreams.load(users?.upstreams ?? new Map(), users ? tokens.map(([, { user }]) => user) : []);
    return this.generatedToken === undefined ? tokens : [[this.generatedToken, {}]];
  }

  /** The settings that are options of `createGateway()` as they are. */
  #plainOptions(): Partial<GatewayOptions> {
    const entries = SETTING_ENTRIES.flatMap(([name, { option, kind }]) => {
      const given = this.#settings.given.get(name);
      if (option === undefined || given === undefined) return [];
      return [[option, kind === "list" ? given.values : numberOf(this.#settings, name)] as const];
    });
    // A list without members trusts the peers on a Unix socket, which only a proxy can reach.
    const trustProxy = "socketPath" in this.listen ? { trustProxy: [] } : {};
    return { ...trustProxy, ...Object.fromEntries(entries) };
  }
}

function logFormat(text: string | undefined): "text" | "json" {
  if (text === "text" || text === "json") return text;
  throw new CommandLineError(`--log must be text or json, got ${JSON.stringify(text)}`);
}

/** Believes the header of a trusted proxy only. It must stand there once: a proxy that appends would keep a forged one. */
function userByHeader(header: string, trusted: TrustedProxies): AuthorizeFunction {
  return (request) => {
    const { rawHeaders } = request;
    const values = rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === header);
    const [user = ""] = values;
    const isUser = values.length === 1 && user !== "" && user.length <= MAX_USER_LENGTH;
    return isUser && isTrusted(peerAddress(request), trusted) ? { user } : false;
  };
}
