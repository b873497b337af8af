import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { CommandLineError, parseCommandLine } from "../../src/gateway/cli-options.ts";
import { GatewayCommand } from "../support/gateway-command.ts";

const ORIGIN = ["--origin", "https://ide.example"];
const UPSTREAM = ["--upstream", "ws://127.0.0.1:1"];

const directory = mkdtempSync(join(tmpdir(), "gateway-test-"));
afterAll(() => rmSync(directory, { recursive: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
};

describe("parseCommandLine() throws", () => {
  test.each<[string, string[], RegExp]>([
    ["without an origin", UPSTREAM, /--origin must be/],
    ["without an upstream", ORIGIN, /either --upstream URL or -- COMMAND, got neither/],
    [
      "with two upstreams",
      [...ORIGIN, ...UPSTREAM, "--", "codex"],
      /either --upstream URL or -- COMMAND, got both/,
    ],
    ["without a command after --", [...ORIGIN, "--"], /-- must be followed by a command/],
    ["with an unknown option", [...ORIGIN, ...UPSTREAM, "--orgin", "x"], /Unknown option '--orgin'/],
    ["with a positional argument", [...ORIGIN, ...UPSTREAM, "codex"], /Unexpected argument/],
    ["with an option without its value", [...ORIGIN, "--upstream"], /'--upstream <value>' argument missing/],
    ["with an upstream over HTTP", [...ORIGIN, "--upstream", "http://127.0.0.1:1"], /ws: or wss:/],
    [
      "with an upstream that is not a URL",
      [...ORIGIN, "--upstream", "127.0.0.1"],
      /not a valid absolute URL/,
    ],
    ["with a port without a host", [...ORIGIN, ...UPSTREAM, "--listen", "8787"], /HOST:PORT/],
    ["with a port out of range", [...ORIGIN, ...UPSTREAM, "--listen", "127.0.0.1:65536"], /HOST:PORT/],
    ["without a port", [...ORIGIN, ...UPSTREAM, "--listen", "127.0.0.1:"], /HOST:PORT/],
    ["with a bare IPv6 address", [...ORIGIN, ...UPSTREAM, "--listen", "::1:8787"], /HOST:PORT/],
    [
      "with a token file that does not exist",
      [...ORIGIN, ...UPSTREAM, "--token-file", "/no/such/file"],
      /ENOENT/,
    ],
    [
      "with an empty upstream token file",
      [...ORIGIN, "--upstream-token-file", "/dev/null", "--", "x"],
      /must hold a token/,
    ],
  ])("%s", (_, args, message) => {
    const parse = (): unknown => parseCommandLine(args);
    expect(parse).toThrow(message);
  });

  test("with an invalid token file, without printing its content", () => {
    const parse = (text: string) => () =>
      parseCommandLine([...ORIGIN, ...UPSTREAM, "--token-file", file("bad", text)]);
    expect(parse("")).toThrow(CommandLineError);
    expect(parse("two words")).toThrow(/^(?!.*two words).*must hold a token/);
  });

  test("with an upstream token for a command", () => {
    const args = [...ORIGIN, "--upstream-token-file", file("good", "token"), "--", "codex"];
    expect(() => parseCommandLine(args)).toThrow("--upstream-token-file must be used with --upstream");
  });
});

describe("parseCommandLine()", () => {
  test("applies the defaults", () => {
    expect(parseCommandLine([...ORIGIN, ...UPSTREAM])).toMatchObject({
      origins: ["https://ide.example"],
      hosts: [],
      listen: { host: "127.0.0.1", port: 8787 },
      token: undefined,
    });
  });

  test("accepts repeated options, an IPv6 address, and a token file with a line break", () => {
    const args = ["--origin", "http://a", "--origin", "http://b", "--host", "a", "--host", "b"];
    const more = ["--listen", "[::1]:0", "--token-file", file("line", "token\r\n")];
    expect(parseCommandLine([...args, ...more, ...UPSTREAM])).toMatchObject({
      origins: ["http://a", "http://b"],
      hosts: ["a", "b"],
      listen: { host: "::1", port: 0 },
      token: "token",
    });
  });

  test("passes every argument after -- to the command, even its own options", () => {
    const command = parseCommandLine([...ORIGIN, "--", "codex", "--listen", "stdio", "--", "--help"]);
    expect(command).toMatchObject({ listen: { port: 8787 }, upstream: { reconnectable: false } });
  });

  test("returns undefined for --help alone", () => {
    expect(parseCommandLine(["--help"])).toBeUndefined();
  });
});

test.each([
  ["an origin that is a wildcard", ["--origin", "*", ...UPSTREAM], "must contain exact origins"],
  ["an unknown option", ["--bogus"], "Unknown option '--bogus'"],
])("the command exits with 2 and an error message for %s", async (_, args, message) => {
  await using command = new GatewayCommand(...args);
  expect(await command.exited).toBe(2);
  expect(command.stderr).toContain(message);
  expect(command.stderr).toContain("--help");
  expect(command.stderr.split("\n")).toHaveLength(3);
  expect(command.stdout).toBe("");
});
