import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "vitest";
import type { AuthorizeFunction } from "../../../src/gateway/authorization.ts";
import { Configuration } from "../../../src/gateway/command/configuration.ts";
import { CommandLineError, readSettings } from "../../../src/gateway/command/read-settings.ts";
import type { TokenList } from "../../../src/gateway/tokens.ts";
import { ConnectError } from "../../../src/index.ts";
import { GatewayCommand } from "../../support/gateway-command.ts";
import { filesIn, temporaryDirectory } from "../../support/temporary-files.ts";

const ORIGIN = ["--origin", "https://ide.example"];
const UPSTREAM = ["--upstream", "ws://127.0.0.1:1"];
const VALID = [...ORIGIN, ...UPSTREAM];
const TOKEN = "a-token-of-16-characters";

const file = filesIn(temporaryDirectory());
const configure = (args: readonly string[], env: Record<string, string> = {}) =>
  new Configuration(readSettings(args, env), undefined);

describe("the command refuses", () => {
  test.each<[string, string[], RegExp]>([
    ["no origin", UPSTREAM, /--origin must be/],
    ["no upstream", ORIGIN, /either --upstream URL or -- COMMAND, got neither/],
    ["two upstreams", [...VALID, "--", "codex"], /either --upstream URL or -- COMMAND, got both/],
    ["no command after --", [...ORIGIN, "--"], /-- must be followed by a command/],
    ["an unknown option", [...VALID, "--orgin", "x"], /Unknown option '--orgin'/],
    ["a positional argument", [...VALID, "codex"], /Unexpected argument 'codex': a command stands after --$/],
    [
      "codex without its pipes",
      [...ORIGIN, "--", "codex", "exec-server"],
      /^The command must have --listen stdio/,
    ],
    ["an option without its value", [...ORIGIN, "--upstream"], /'--upstream <value>' argument missing/],
    ["an upstream over HTTP", [...ORIGIN, "--upstream", "http://127.0.0.1:1"], /^--upstream .*ws: or wss:/],
    ["an upstream that is not a URL", [...ORIGIN, "--upstream", "127.0.0.1"], /^--upstream .* absolute URL/],
    ["a route to no URL", [...VALID, "--route", "/ada=ws://"], /^--route \/ada must be a ws: or wss: URL/],
    ["a port without a host", [...VALID, "--listen", "8787"], /HOST:PORT/],
    ["a port out of range", [...VALID, "--listen", "127.0.0.1:65536"], /HOST:PORT/],
    ["no port", [...VALID, "--listen", "127.0.0.1:"], /HOST:PORT/],
    ["a bare IPv6 address", [...VALID, "--listen", "::1:8787"], /HOST:PORT/],
    ["an admin address without a port", [...VALID, "--admin", "127.0.0.1"], /--admin must be HOST:PORT/],
    ["a token file that does not exist", [...VALID, "--token-file", "/no/such/file"], /ENOENT/],
    ["an empty upstream token file", [...VALID, "--upstream-token-file", "/dev/null"], /must hold a token/],
    [
      "a number in words",
      [...VALID, "--max-connections", "many"],
      /--max-connections must be a whole number/,
    ],
    ["a limit of 0", [...VALID, "--max-connections", "0"], /maxConnections must be an integer from 1/],
    ["another log format", [...VALID, "--log", "xml"], /--log must be text or json/],
    ["a certificate without its key", [...VALID, "--tls-cert", "/dev/null"], /used together/],
    [
      "a certificate that is none",
      [...VALID, "--tls-cert", "/dev/null", "--tls-key", "/dev/null"],
      /--tls-cert and --tls-key must hold a certificate chain and its key as PEM, got ERR_/,
    ],
    ["a route without a path", [...VALID, "--route", "ws://127.0.0.1:1"], /--route must be PATH=URL/],
    ["a route twice", [...VALID, "--route", "/a=ws://a", "--route", "/a=ws://b"], /got \/a twice/],
    ["users by header from anywhere", [...VALID, "--auth-header", "X-User"], /--trust-proxy/],
    [
      "users by header beside tokens",
      [...VALID, "--auth-header", "X-User", "--token-file", "f", "--trust-proxy", "127.0.0.1"],
      /without tokens/,
    ],
  ])("%s", (_, args, message) => {
    expect(() => configure(args)).toThrow(message);
  });

  test("an invalid token file, naming the file, what is allowed and how to make one, but not its content", () => {
    const parse = (text: string) => () => configure([...VALID, "--token-file", file("bad", text)]);
    expect(parse("")).toThrow(CommandLineError);
    expect(parse("two words")).toThrow(/^(?!.*two words).*other characters/);
    const base64 = "c2VjcmV0LXNlY3JldC1zZWNyZXQ=/+";
    expect(parse(base64)).toThrow(
      /^(?!.*c2VjcmV0).*bad must hold a token of at least 16 .*openssl rand -hex/,
    );
    expect(parse("short")).toThrow(/got a shorter one/);
  });

  test("an upstream token for a command", () => {
    const args = [...ORIGIN, "--upstream-token-file", file("good", TOKEN), "--", "codex"];
    expect(() => configure(args)).toThrow("--upstream-token-file must be used with --upstream");
  });

  test.each<[string, string | object, RegExp]>([
    ["is not JSON", `{"ada": "${TOKEN}`, /must hold JSON/],
    ["is a list", [TOKEN], /JSON object, got an array/],
    ["is empty", {}, /at least one token/],
    ["has a short token", { ada: "short" }, /"ada": token must be at least 16/],
    ["has the same token twice", { ada: TOKEN, bob: TOKEN }, /"bob": token must differ from that of "ada"/],
    ["has an unknown member", { ada: { token: TOKEN, admin: true } }, /"ada" has no member "admin"/],
    [
      "has a date that can't be read",
      { ada: { token: TOKEN, expiresAt: "soon" } },
      /expiresAt must be a date/,
    ],
    ["has a limit of 0", { ada: { token: TOKEN, maxPages: 0 } }, /maxPages must be a positive/],
  ])("a tokens file that %s, without its content", (_, content, message) => {
    const parse = () => configure([...VALID, "--tokens-file", file("tokens", content)]);
    expect(parse).toThrow(message);
    expect(parse).toThrow(expect.not.objectContaining({ message: expect.stringContaining(TOKEN) }));
  });

  test.each<[string, object, RegExp]>([
    ["URL", { upstream: "http://secret@bob.example" }, /, "bob": upstream must be a ws: or wss: URL/],
    [
      "token",
      { upstream: "ws://bob.example", upstreamTokenFile: "/no/such/file" },
      /, "bob": upstreamTokenFile must be a readable file, got ENOENT for \/no\/such\/file/,
    ],
  ])("the %s of a user's exec-server, naming the user", (_, own, message) => {
    const users = { ada: TOKEN, bob: { token: `${TOKEN}-2`, ...own } };
    const parse = () => configure([...VALID, "--tokens-file", file("own", users)]);
    expect(parse).toThrow(message);
    expect(parse).toThrow(/^(?!.*secret)--tokens-file /);
  });

  test("a user without an exec-server", () => {
    const users = { ada: { token: TOKEN, upstream: "ws://127.0.0.1:1" }, bob: `${TOKEN}-2` };
    const parse = () => configure([...ORIGIN, "--tokens-file", file("some", users)]);
    expect(parse).toThrow('The exec-server of "bob" must be');
  });

  test.each<[string, object, RegExp]>([
    ["an unknown member", { maxConection: 3 }, /"maxConection" in .* must be one of origin, host,/],
    ["a number as text", { maxConnections: "3" }, /"maxConnections" in .* must be a number, got a string/],
    ["a list that is text", { origin: "https://ide.example" }, /"origin" in .* must be an array of strings/],
  ])("a configuration file with %s", (_, content, message) => {
    expect(() => configure([...VALID, "--config", file("config", content)])).toThrow(message);
  });
});

describe("the command reads", () => {
  test("its defaults", () => {
    const { options, listen, admin, logFormat, graceMs, generatedToken } = configure(VALID);
    expect(options).toMatchObject({
      allowedOrigins: ["https://ide.example"],
      allowedHosts: [],
      path: ["/"],
      maxConnections: 100,
      trustProxy: false,
    });
    expect(listen).toMatchObject({ host: "127.0.0.1", port: 8787 });
    expect({ admin, logFormat, graceMs }).toEqual({ admin: undefined, logFormat: "text", graceMs: 2_000 });
    expect(generatedToken).toMatch(/^[\w-]{43}$/);
  });

  test("repeated options, an IPv6 address, and a token file with a line break", () => {
    const args = ["--origin", "http://a", "--origin", "http://b", "--host", "a", "--host", "b"];
    const more = ["--listen", "[::1]:0", "--token-file", file("line", `${TOKEN}\r\n`)];
    const { options, listen } = configure([...args, ...more, ...UPSTREAM]);
    expect(options).toMatchObject({ allowedOrigins: ["http://a", "http://b"], allowedHosts: ["a", "b"] });
    expect(listen).toMatchObject({ host: "::1", port: 0 });
    expect((options.authorize as TokenList).find([TOKEN])).toEqual({});
  });

  test("every argument after -- as the command's, even its own options", () => {
    const { options, listen } = configure([...ORIGIN, "--", "codex", "--listen", "stdio", "--", "--help"]);
    expect(listen).toMatchObject({ port: 8787 });
    expect(options.upstream).toMatchObject({ reconnectable: false });
  });

  test("flags before variables before the configuration file", () => {
    const config = file("all", {
      origin: ["https://file.example"],
      upstream: "ws://127.0.0.1:1",
      maxConnections: 1,
      maxHandshakes: 1,
      idleTimeoutMs: 1_000,
    });
    const env = {
      EXEC_SERVER_GATEWAY_CONFIG: config,
      EXEC_SERVER_GATEWAY_MAX_CONNECTIONS: "2",
      EXEC_SERVER_GATEWAY_MAX_HANDSHAKES: "2",
      EXEC_SERVER_GATEWAY_HOST: "a.example, b.example",
      EXEC_SERVER_GATEWAY_LOG: "",
    };
    expect(configure(["--max-connections", "3"], env).options).toMatchObject({
      allowedOrigins: ["https://file.example"],
      allowedHosts: ["a.example", "b.example"],
      maxConnections: 3,
      maxHandshakes: 2,
      idleTimeoutMs: 1_000,
    });
  });

  test("the command of the configuration file", () => {
    const command = ["codex", "exec-server", "--listen", "stdio"];
    const config = file("command", { origin: ["https://ide.example"], command });
    expect(configure(["--config", config]).upstreams.all).toMatchObject([{ name: "codex" }]);
  });

  test("a command in which exec-server is no word for codex", () => {
    const command = ["docker", "run", "-i", "exec-server"];
    expect(configure([...ORIGIN, "--", ...command]).upstreams.all).toMatchObject([{ name: "docker" }]);
  });

  test("users with expiry, limits and exec-servers of their own", () => {
    const users = {
      ada: { token: TOKEN, expiresAt: "2030-01-31T12:00:00Z", maxPages: 2, upstream: "ws://ada.example:1" },
      bob: `${TOKEN}-2`,
    };
    const { options, upstreams } = configure([...VALID, "--tokens-file", file("users", users)]);
    const tokens = options.authorize as TokenList;
    expect(tokens.find([TOKEN])).toEqual({
      user: "ada",
      expiresAt: Date.UTC(2030, 0, 31, 12),
      maxPages: 2,
    });
    expect(tokens.find([`${TOKEN}-2`])).toMatchObject({ user: "bob" });
    expect(upstreams.all.map(({ name }) => name)).toEqual(["ws://127.0.0.1:1/", "ws://ada.example:1/"]);
  });

  test("a user who has no exec-server on the path, which the log says", () => {
    const users = { ada: { token: TOKEN, upstream: "ws://127.0.0.1:1" }, bob: `${TOKEN}-2` };
    const args = [...ORIGIN, "--route", "/bob=ws://127.0.0.1:1", "--tokens-file", file("routed", users)];
    const upstream = configure(args).upstreams.option as (request: IncomingMessage, page: object) => unknown;
    const choose = (url: string) => () => upstream({ url } as IncomingMessage, { id: "7", user: "bob" });
    expect(choose("/bob")).not.toThrow();
    expect(choose("/")).toThrow(ConnectError);
  });

  test("a user from the header of a trusted proxy only, and only if it stands there once", () => {
    const { options } = configure([...VALID, "--auth-header", "X-User", "--trust-proxy", "10.0.0.0/8"]);
    const authorize = options.authorize as AuthorizeFunction;
    const from = (remoteAddress: string, ...users: string[]) =>
      authorize({
        socket: { remoteAddress },
        rawHeaders: users.flatMap((user) => ["X-USER", user]),
      } as unknown as IncomingMessage);
    expect(from("10.1.2.3", "ada")).toEqual({ user: "ada" });
    expect(from("::ffff:10.1.2.3", "ada")).toEqual({ user: "ada" });
    expect(from("192.0.2.1", "ada")).toBe(false);
    expect(from("10.1.2.3")).toBe(false);
    expect(from("10.1.2.3", "")).toBe(false);
    expect(from("10.1.2.3", "root", "ada")).toBe(false);
  });
});

test.each([
  ["an origin that is a wildcard", ["--origin", "*", ...UPSTREAM], "--origin must contain exact origins"],
  [
    "a misspelled origin",
    ["--origin", "https://ide.example/", ...UPSTREAM],
    'did you mean "https://ide.example"?',
  ],
  ["an unknown option", ["--bogus"], "Unknown option '--bogus'"],
])("the command exits with 2 and an error message for %s", async (_, args, message) => {
  await using command = new GatewayCommand(...args);
  expect(await command.exited).toBe(2);
  expect(command.stderr).toContain(message);
  expect(command.stderr).toContain("--help");
  expect(command.stderr.split("\n")).toHaveLength(3);
  expect(command.stdout).toBe("");
});
