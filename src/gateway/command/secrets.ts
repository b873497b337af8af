import { isToken } from "../option-values.ts";
import { GATEWAY_PROTOCOL } from "../options.ts";
import { MIN_TOKEN_LENGTH, type TokenEntry } from "../tokens.ts";
import { CommandLineError, jsonObject, readText } from "./read-settings.ts";

/** A file with the bearer token for an exec-server. */
export interface BearerFile {
  /** The setting that names it, for error messages. */
  readonly option: string;
  readonly file: string;
}

/** An exec-server at a URL. */
export interface RemoteUpstream {
  /** The setting with its URL, for error messages. */
  readonly option: string;
  readonly url: string;
  readonly bearer: BearerFile | undefined;
}

/** What the tokens file says. */
export interface Users {
  readonly tokens: readonly TokenEntry[];
  /** The users' own exec-servers. */
  readonly upstreams: ReadonlyMap<string, RemoteUpstream>;
}

const ALLOWED = `at least ${MIN_TOKEN_LENGTH} letters, digits and -._~+`;

/** The token of `--token-file`, which pages send as a subprotocol. */
export function pageToken(option: string, file: string): string {
  const token = readText(option, file).trim();
  if (isToken(token)) return token;
  const got =
    token === ""
      ? "an empty file"
      : token === GATEWAY_PROTOCOL || /^[\w\-.~+]+$/.test(token)
        ? "a shorter one"
        : "other characters";
  throw new CommandLineError(
    `${option} ${file} must hold a token of ${ALLOWED}, got ${got}. To make one: openssl rand -hex 32 > ${file}`,
  );
}

export function bearerFile(option: string, file: string | undefined): BearerFile | undefined {
  return file === undefined ? undefined : { option, file };
}

/** A bearer token for an exec-server, which is sent in a header. */
export function bearerToken({ option, file }: BearerFile): string {
  const token = readText(option, file).trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  const got = token === "" ? "an empty file" : "other characters";
  throw new CommandLineError(`${option} ${file} must hold a token of visible ASCII characters, got ${got}`);
}

/** The users of `--tokens-file`: a token, or an object with a token, by name. */
export function usersIn(option: string, file: string): Users {
  const names = new Map<string, string>();
  const tokens: TokenEntry[] = [];
  const upstreams = new Map<string, RemoteUpstream>();
  for (const [user, entry] of Object.entries(jsonObject(option, file))) {
    const where = `${option} ${file}, ${JSON.stringify(user)}`;
    const { token, expiresAt, maxPages, upstream, upstreamTokenFile } = membersOf(where, entry);
    if (user === "") throw new CommandLineError(`${where}: the name must not be empty`);
    if (typeof token !== "string" || !isToken(token)) {
      throw new CommandLineError(`${where}: token must be ${ALLOWED}`);
    }
    const other = names.get(token);
    if (other !== undefined) {
      throw new CommandLineError(`${where}: token must differ from that of ${JSON.stringify(other)}`);
    }
    names.set(token, user);
    tokens.push([token, { user, expiresAt: timeOf(where, expiresAt), maxPages: limitOf(where, maxPages) }]);
    if (upstream === undefined) continue;
    const bearer = bearerFile(`${where}: upstreamTokenFile`, upstreamTokenFile);
    upstreams.set(user, { option: `${where}: upstream`, url: upstream, bearer });
  }
  if (tokens.length === 0) throw new CommandLineError(`${option} ${file} must hold at least one token`);
  return { tokens, upstreams };
}

interface Members {
  readonly token?: unknown;
  readonly expiresAt?: unknown;
  readonly maxPages?: unknown;
  readonly upstream?: string;
  readonly upstreamTokenFile?: string;
}

const MEMBERS = ["token", "expiresAt", "maxPages", "upstream", "upstreamTokenFile"];

function membersOf(where: string, entry: unknown): Members {
  if (typeof entry === "string") return { token: entry };
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) {
    throw new CommandLineError(`${where} must be a token or an object with a token`);
  }
  for (const [name, value] of Object.entries(entry)) {
    if (!MEMBERS.includes(name)) {
      throw new CommandLineError(
        `${where} has no member ${JSON.stringify(name)}, only ${MEMBERS.join(", ")}`,
      );
    }
    if (name.startsWith("upstream") && typeof value !== "string") {
      throw new CommandLineError(`${where}: ${name} must be a string`);
    }
  }
  return entry as Members;
}

function timeOf(where: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const time = typeof value === "string" ? Date.parse(value) : value;
  if (typeof time === "number" && Number.isFinite(time)) return time;
  throw new CommandLineError(`${where}: expiresAt must be a date such as "2030-01-31T12:00:00Z"`);
}

function limitOf(where: string, value: unknown): number | undefined {
  if (value === undefined || (Number.isInteger(value) && (value as number) > 0))
    return value as number | undefined;
  throw new CommandLineError(`${where}: maxPages must be a positive integer`);
}
