import { unsupported } from "../internal/arguments.ts";
import type { WireEnvironmentInfo } from "./environment.ts";

/** `since`: the first version 0.N. `capability`: the name by which a server from 0.150 on reports it. */
interface Entry {
  readonly since: number;
  readonly capability?: string;
  /** Whether it requires a POSIX system. */
  readonly posix?: boolean;
}

/** The name of something that not every server can do, for `supports()`. */
export type ServerFeature =
  /** The methods of `client.fs` that no other feature names. */
  | "files"
  /** `start()` and `run()`. */
  | "commands"
  /** `createReadStream()`, and `readFile()` above 45 MiB. */
  | "readStreams"
  /** `start()` and `run()` without `cwd`. */
  | "defaultCwd"
  /** `fetch` with `redirect: "manual"` or `"error"`. */
  | "redirects"
  /** `fs.walk()`. */
  | "walk"
  /** `status()`. */
  | "status"
  /** `fetch` with `headersFromEnv`. */
  | "headersFromEnv"
  /** `network` of `start()` and `run()`. */
  | "networkPolicy"
  /** `tty: { rows, cols }` and `resize()`, on a POSIX server. */
  | "terminalSize"
  /**
   * `kill()`, the end of the input, `connectTcp()`, `fs.rename()` and others that a shell of the server does; on a POSIX
   * server. Whether a program is missing there shows in the call.
   */
  | "scripts"
  /** `fs.createWriteStream()`, and `fs.writeFile()` above 11 MiB. */
  | "writeStreams"
  /** `fs.whenAppears()`. */
  | "watch";

/** What depends on the server's version. Every guard, `supports()`, the docs and the test server read this table. */
export const FEATURES = {
  files: { since: 140 },
  commands: { since: 141 },
  readStreams: { since: 142 },
  defaultCwd: { since: 143 },
  redirects: { since: 143 },
  walk: { since: 143 },
  status: { since: 145 },
  headersFromEnv: { since: 150, capability: "httpHeaderEnvVars" },
  networkPolicy: { since: 150, capability: "networkProxyLaunch" },
  terminalSize: { since: 151, posix: true },
  scripts: { since: 151, posix: true },
  writeStreams: { since: 162, capability: "fileWriteStreaming" },
  watch: { since: 166, capability: "fsWatchMissing" },
} as const satisfies Record<ServerFeature, Entry>;

export const featureRule = (value: unknown): string | undefined =>
  Object.hasOwn(FEATURES, String(value)) ? undefined : `one of ${Object.keys(FEATURES).join(", ")}`;

/** The versions 0.N by which servers that do not report theirs are distinguished. */
const STEPS = [140, 142, 143, 145, 150, 151, 155];
const REPORTS_ENVIRONMENT = 150;
const REPORTS_VERSION = 155;

/** What a server before 0.150 answers when it is asked: it is of version 0.`least` or later. */
export interface OldServer {
  readonly info: WireEnvironmentInfo;
  readonly least: number;
}

/** What one server can do. */
export class ServerFeatures {
  readonly #ask: () => Promise<OldServer>;
  #info: WireEnvironmentInfo = {};
  /** The server is of version 0.`#least` or later. Undefined if nothing is known but that it is older than 0.150. */
  #least: number | undefined;

  /**
   * @param info What the server reported in the handshake.
   * @param ask Finds out what an old server is. Called by `learn`.
   */
  constructor(info: WireEnvironmentInfo | null | undefined, ask: () => Promise<OldServer>) {
    this.#ask = ask;
    if (info) this.#know({ info, least: REPORTS_ENVIRONMENT });
  }

  /** The server's version, if it reports it. */
  get version(): string | undefined {
    return this.#info.executorVersion ?? undefined;
  }

  /** The server's working directory, as a path URI. */
  get cwd(): string | undefined {
    return this.#info.cwd ?? undefined;
  }

  get isKnown(): boolean {
    return this.#least !== undefined;
  }

  /** Asks an old server for what it did not report in the handshake, once. */
  async learn(): Promise<void> {
    if (!this.isKnown) this.#know(await this.#ask());
  }

  has(feature: ServerFeature): boolean {
    const { since, capability, posix }: Entry = FEATURES[feature];
    const least = this.#least ?? 0;
    if (capability && least >= REPORTS_ENVIRONMENT) return this.#info.capabilities?.[capability] === true;
    return least >= since && (!posix || this.isPosix);
  }

  get isPosix(): boolean {
    return this.#info.platformOs != null && this.#info.platformOs !== "windows";
  }

  /**
   * A server that is not known refuses a method itself if it does not have it. What such a server would do wrongly needs
   * `learn` before.
   *
   * @param use What was called with what, such as `redirect: "manual"`.
   * @throws UsageError `ERR_UNSUPPORTED` for a feature that the server does not have.
   */
  need(feature: ServerFeature, use: string): void {
    const { since, capability }: Entry = FEATURES[feature];
    const mayHave = !this.isKnown && since < REPORTS_ENVIRONMENT;
    if (mayHave || this.has(feature)) return;
    const least = this.#least ?? REPORTS_ENVIRONMENT - 1;
    const requiredVersion = `0.${since}.0`;
    const found = this.version ?? `older than 0.${STEPS.find((step) => step > least)}.0`;
    const needed = capability ? `${requiredVersion} with the capability ${capability}` : requiredVersion;
    const isOld = capability !== undefined || least < since;
    const problem = isOld ? `server version ${needed}; this server is ${found}` : "a POSIX server";
    unsupported(`${use} requires ${problem}`, {
      feature,
      requiredVersion,
      serverVersion: this.version,
      delivery: "not-sent",
    });
  }

  #know({ info, least }: OldServer): void {
    this.#info = info;
    // With a version, only capabilities count: servers built from source report 0.0.0.
    this.#least = info.executorVersion != null ? REPORTS_VERSION : info.platformOs != null ? 151 : least;
  }
}
