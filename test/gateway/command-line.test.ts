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

describe("the command line is refused", () => {
  test.each<[string, string[], RegExp]>([
    ["without an origin", UPSTREAM, /--origin is missing/],
    ["without an upstream", ORIGIN, /exactly one is needed/],
    ["with two upstreams", [...ORIGIN, ...UPSTREAM, "--", "codex"], /exactly one is needed/],
    ["without a command behind the dashes", [...ORIGIN, "--"], /no command behind/],
    ["with an option nobody knows", [...ORIGIN, ...UPSTREAM, "--orgin", "x"], /Unknown option '--orgin'/],
    ["with a word too many", [...ORIGIN, ...UPSTREAM, "codex"], /Unexpected argument/],
    [
      "with an option that lacks its value",
      [...ORIGIN, "--upstream"],
      /'--upstream <value>' argument missing/,
    ],
    ["with an upstream over HTTP", [...ORIGIN, "--upstream", "http://127.0.0.1:1"], /ws: or wss:/],
    ["with an upstream that is no URL", [...ORIGIN, "--upstream", "127.0.0.1"], /not a valid absolute URL/],
    ["with a port alone", [...ORIGIN, ...UPSTREAM, "--listen", "8787"], /HOST:PORT/],
    ["with a port that can't be", [...ORIGIN, ...UPSTREAM, "--listen", "127.0.0.1:65536"], /HOST:PORT/],
    ["with no port", [...ORIGIN, ...UPSTREAM, "--listen", "127.0.0.1:"], /HOST:PORT/],
    ["with a bare IPv6 address", [...ORIGIN, ...UPSTREAM, "--listen", "::1:8787"], /HOST:PORT/],
    [
      "with a token file that is not there",
      [...ORIGIN, ...UPSTREAM, "--token-file", "/no/such/file"],
      /ENOENT/,
    ],
    [
      "with an upstream token for a command",
      [...ORIGIN, "--upstream-token-file", "/dev/null", "--", "x"],
      /holds no token/,
    ],
  ])("%s", (_, args, message) => {
    const parse = (): unknown => parseCommandLine(args);
    expect(parse).toThrow(message);
  });

  test("with a token file that holds no token, without showing what it holds", () => {
    const parse = (text: string) => () =>
      parseCommandLine([...ORIGIN, ...UPSTREAM, "--token-file", file("bad", text)]);
    expect(parse("")).toThrow(CommandLineError);
    expect(parse("two words")).toThrow(/^(?!.*two words).*holds no token/);
  });

  test("with an upstream token where there is no URL", () => {
    const args = [...ORIGIN, "--upstream-token-file", file("good", "token"), "--", "codex"];
    expect(() => parseCommandLine(args)).toThrow("--upstream-token-file belongs to --upstream");
  });
});

describe("the command line", () => {
  test("has defaults", () => {
    expect(parseCommandLine([...ORIGIN, ...UPSTREAM])).toMatchObject({
      origins: ["https://ide.example"],
      hosts: [],
      listen: { host: "127.0.0.1", port: 8787 },
      token: undefined,
    });
  });

  test("takes what may be repeated, an IPv6 address, and a token with a line end", () => {
    const args = ["--origin", "http://a", "--origin", "http://b", "--host", "a", "--host", "b"];
    const more = ["--listen", "[::1]:0", "--token-file", file("line", "token\r\n")];
    expect(parseCommandLine([...args, ...more, ...UPSTREAM])).toMatchObject({
      origins: ["http://a", "http://b"],
      hosts: ["a", "b"],
      listen: { host: "::1", port: 0 },
      token: "token",
    });
  });

  test("leaves to the command what is behind the dashes, even its own options", () => {
    const command = parseCommandLine([...ORIGIN, "--", "codex", "--listen", "stdio", "--", "--help"]);
    expect(command).toMatchObject({ listen: { port: 8787 }, upstream: { reconnectable: false } });
  });

  test("that only asks for help needs nothing else", () => {
    expect(parseCommandLine(["--help"])).toBeUndefined();
  });
});

test.each([
  ["an origin that is a wildcard", ["--origin", "*", ...UPSTREAM], "is not an origin"],
  ["an option nobody knows", ["--bogus"], "Unknown option '--bogus'"],
])("the command ends with 2 and a clear error for %s", async (_, args, message) => {
  await using command = new GatewayCommand(...args);
  expect(await command.exited).toBe(2);
  expect(command.stderr).toContain(message);
  expect(command.stderr).toContain("--help");
  expect(command.stderr.split("\n")).toHaveLength(3);
  expect(command.stdout).toBe("");
});
