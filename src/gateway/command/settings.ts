import type { GatewayOptions } from "../options.ts";

/**
 * One setting of the command: `max-connections` is the flag `--max-connections`, the variable
 * `EXEC_SERVER_GATEWAY_MAX_CONNECTIONS` and the member `maxConnections` of the configuration file.
 */
export interface Setting {
  readonly kind: "text" | "number" | "list" | "switch";
  /** The heading under which it is listed. */
  readonly group: "Pages" | "Users" | "The exec-server" | "Limits" | "Operation";
  /** What stands for the value in the help. A switch has none. */
  readonly value?: string;
  readonly help: string;
  readonly default?: string;
  /** The option of `createGateway()` that gets the value. */
  readonly option?: keyof GatewayOptions;
}

/** Every setting of the command, by the name of its flag. Flags, variables, members, help and docs come from here. */
export const SETTINGS = {
  origin: {
    kind: "list",
    group: "Pages",
    value: "ORIGIN",
    help: "a page that may connect, such as https://ide.example",
    option: "allowedOrigins",
  },
  host: {
    kind: "list",
    group: "Pages",
    value: "NAME",
    help: "a further host name of the gateway, such as that of a reverse proxy",
    option: "allowedHosts",
  },
  listen: {
    kind: "text",
    group: "Pages",
    value: "HOST:PORT",
    help: "the address to listen on, or unix:PATH for a Unix socket",
    default: "127.0.0.1:8787",
  },
  path: { kind: "text", group: "Pages", value: "PATH", help: "the path that is served", default: "/" },
  "tls-cert": { kind: "text", group: "Pages", value: "FILE", help: "the certificate chain, as PEM" },
  "tls-key": { kind: "text", group: "Pages", value: "FILE", help: "the private key, as PEM" },
  "token-file": {
    kind: "text",
    group: "Users",
    value: "FILE",
    help: "the token that pages must send; without any of these, one is generated and printed once",
  },
  "tokens-file": {
    kind: "text",
    group: "Users",
    value: "FILE",
    help: "tokens by user as JSON, each with its expiry, limit and exec-server if it has any",
  },
  "auth-header": {
    kind: "text",
    group: "Users",
    value: "NAME",
    help: "the header in which a trusted proxy names the user, instead of tokens",
  },
  "trust-proxy": {
    kind: "list",
    group: "Users",
    value: "ADDRESS",
    help: "a proxy, or a network such as 10.0.0.0/8, whose X-Forwarded-For is believed",
    option: "trustProxy",
  },
  upstream: {
    kind: "text",
    group: "The exec-server",
    value: "URL",
    help: "the exec-server, a ws: or wss: URL",
  },
  "upstream-token-file": {
    kind: "text",
    group: "The exec-server",
    value: "FILE",
    help: "the bearer token for the exec-servers",
  },
  route: {
    kind: "list",
    group: "The exec-server",
    value: "PATH=URL",
    help: "a further path that is served, and its exec-server",
  },
  "max-connections": {
    kind: "number",
    group: "Limits",
    value: "N",
    help: "pages connected at once",
    default: "100",
    option: "maxConnections",
  },
  "max-pages-per-user": {
    kind: "number",
    group: "Limits",
    value: "N",
    help: "pages of one user; one more ends the oldest",
    default: "none",
    option: "maxPagesPerUser",
  },
  "max-handshakes": {
    kind: "number",
    group: "Limits",
    value: "N",
    help: "checks and refusals under way at once",
    default: "100",
    option: "maxHandshakes",
  },
  "idle-timeout-ms": {
    kind: "number",
    group: "Limits",
    value: "MS",
    help: "milliseconds without a message from a page after which it is closed",
    default: "none",
    option: "idleTimeoutMs",
  },
  "max-duration-ms": {
    kind: "number",
    group: "Limits",
    value: "MS",
    help: "milliseconds after which a page is closed",
    default: "none",
    option: "maxDurationMs",
  },
  "handshake-timeout-ms": {
    kind: "number",
    group: "Limits",
    value: "MS",
    help: "milliseconds for a request to arrive",
    default: "10000",
    option: "handshakeTimeoutMs",
  },
  "heartbeat-ms": {
    kind: "number",
    group: "Limits",
    value: "MS",
    help: "milliseconds between two pings",
    default: "30000",
    option: "heartbeatMs",
  },
  "max-message-bytes": {
    kind: "number",
    group: "Limits",
    value: "BYTES",
    help: "the longest message from a page",
    default: "16777216",
    option: "maxMessageBytes",
  },
  "max-upstream-message-bytes": {
    kind: "number",
    group: "Limits",
    value: "BYTES",
    help: "the longest message from the exec-server",
    default: "67108864",
    option: "maxUpstreamMessageBytes",
  },
  "grace-ms": {
    kind: "number",
    group: "Limits",
    value: "MS",
    help: "milliseconds in which pages may finish after SIGTERM or SIGINT; a second signal ends them",
    default: "2000",
  },
  admin: {
    kind: "text",
    group: "Operation",
    value: "HOST:PORT",
    help: "the address, or unix:PATH, of /livez, /readyz and /metrics",
  },
  log: {
    kind: "text",
    group: "Operation",
    value: "FORMAT",
    help: "the log on standard error: text or json",
    default: "text",
  },
  config: {
    kind: "text",
    group: "Operation",
    value: "FILE",
    help: "a JSON object with these settings, named like maxConnections; flags and variables prevail",
  },
  version: { kind: "switch", group: "Operation", help: "print the version" },
  help: { kind: "switch", group: "Operation", help: "print this text" },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;

export const SETTING_ENTRIES = Object.entries(SETTINGS) as [SettingName, Setting][];

export const flagOf = (name: string): string => `--${name}`;
export const variableOf = (name: string): string =>
  `EXEC_SERVER_GATEWAY_${name.toUpperCase().replaceAll("-", "_")}`;
export const memberOf = (name: string): string =>
  name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
