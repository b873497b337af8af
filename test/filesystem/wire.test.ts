import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RemoteFileSystem } from "../../src/index.ts";
import { failureOf } from "../support/failure.ts";
import type { Received } from "../support/relay.ts";
import { relayedFiles } from "../support/remote-files.ts";

const MIB = 1024 * 1024;

let relayed: Awaited<ReturnType<typeof relayedFiles>>;
beforeAll(async () => {
  relayed = await relayedFiles();
});
beforeEach(() => {
  relayed.relay.intercept = () => undefined;
});
afterAll(() => relayed[Symbol.asyncDispose]());

type Act = (fs: RemoteFileSystem) => Promise<unknown>;

/**
 * The requests of a call. The relay rejects them, apart from those that look at a path before the call removes it or copies
 * to it.
 */
async function sentFor(act: Act, lookups: readonly string[] = []): Promise<Received[]> {
  const { relay, fs } = relayed;
  relay.intercept = ({ method = "" }) =>
    lookups.includes(method) ? undefined : { error: { code: -32603, message: "rejected" } };
  const before = relay.received.length;
  expect(await failureOf(act(fs))).toMatchObject({ code: "ERR_SERVER" });
  const sent = relay.received.slice(before).filter(({ id }) => id !== undefined);
  expect(sent.map(({ method }) => method).slice(0, -1)).toEqual(lookups);
  return sent;
}

const LOOKUPS: Readonly<Record<string, readonly string[]>> = {
  "fs/remove": ["fs/getMetadata"],
  "fs/copy": ["fs/getMetadata"],
};

/** How many requests of each method a call sends. */
async function countsFor(act: Act): Promise<Record<string, number>> {
  const before = relayed.relay.received.length;
  await act(relayed.fs);
  const counts: Record<string, number> = {};
  for (const { method = "" } of relayed.relay.received.slice(before))
    counts[method] = (counts[method] ?? 0) + 1;
  return counts;
}

describe("on the wire, where a missing or null option means true,", () => {
  const nothing = { recursive: undefined, force: undefined, signal: undefined, sandbox: undefined };
  const paths = { sourcePath: "file:///p", destinationPath: "file:///q" };
  const limits = {
    maxDepth: 64,
    maxDirectories: 10_000,
    maxEntries: 50_000,
    followDirectorySymlinks: false,
    pruneHiddenDirectories: false,
  };

  it.each<[string, string, object, Act]>([
    ["mkdir", "fs/createDirectory", { path: "file:///p", recursive: false }, (fs) => fs.mkdir("/p")],
    [
      "mkdir with undefined options",
      "fs/createDirectory",
      { path: "file:///p", recursive: false },
      (fs) => fs.mkdir("/p", nothing),
    ],
    ["rm", "fs/remove", { path: "file:///p", recursive: false, force: false }, (fs) => fs.rm("/p")],
    [
      "rm with undefined options",
      "fs/remove",
      { path: "file:///p", recursive: false, force: false },
      (fs) => fs.rm("/p", nothing),
    ],
    [
      "rm with one option",
      "fs/remove",
      { path: "file:///p", recursive: false, force: true },
      (fs) => fs.rm("/p", { force: true }),
    ],
    ["cp", "fs/copy", { ...paths, recursive: false }, (fs) => fs.cp("/p", "/q")],
    [
      "cp with undefined options",
      "fs/copy",
      { ...paths, recursive: false },
      (fs) => fs.cp("/p", "/q", nothing),
    ],
    [
      "cp with all options",
      "fs/copy",
      { ...paths, recursive: true },
      (fs) => fs.cp("/p", "/q", { recursive: true }),
    ],
    ["stat", "fs/getMetadata", { path: "file:///p" }, (fs) => fs.stat("/p")],
    ["exists", "fs/getMetadata", { path: "file:///p" }, (fs) => fs.exists("/p")],
    ["realpath", "fs/canonicalize", { path: "file:///p" }, (fs) => fs.realpath("/p")],
    ["readdir", "fs/readDirectory", { path: "file:///p" }, (fs) => fs.readdir("/p")],
    [
      "writeFile",
      "fs/writeFile",
      { path: "file:///p", dataBase64: "aGk=" },
      (fs) => fs.writeFile("/p", "hi"),
    ],
    ["walk", "fs/walk", { path: "file:///p", options: limits }, (fs) => fs.walk("/p")],
    [
      "walk with undefined options",
      "fs/walk",
      { path: "file:///p", options: limits },
      (fs) => fs.walk("/p", { maxDepth: undefined }),
    ],
  ])("%s sends every option explicitly", async (_, method, params, act) => {
    const sent = (await sentFor(act, LOOKUPS[method])).at(-1);
    expect(sent).toMatchObject({ method, params: { sandbox: null, ...params } });
    expect(Object.keys(sent?.params ?? {}).sort()).toEqual(["sandbox", ...Object.keys(params)].sort());
  });
});

describe("the sandbox", () => {
  const sandbox = {
    permissions: { type: "disabled" },
    cwd: "file:///work",
    workspaceRoots: ["file:///work"],
  } as const;

  it.each<[string, Act, string?]>([
    ["readFile", (fs) => fs.readFile("/p", { sandbox })],
    ["writeFile", (fs) => fs.writeFile("/p", "", { sandbox })],
    ["writeFile of a large file", (fs) => fs.writeFile("/p", new Uint8Array(2 * MIB), { sandbox })],
    ["mkdir", (fs) => fs.mkdir("/p", { sandbox })],
    ["rm", (fs) => fs.rm("/p", { sandbox }), "fs/remove"],
    ["cp", (fs) => fs.cp("/p", "/q", { sandbox }), "fs/copy"],
    ["writeFile with a mode", (fs) => fs.writeFile("/p", "", { mode: 0o600, sandbox })],
    [
      "writeFile of a large file with a flag",
      (fs) => fs.writeFile("/p", new Uint8Array(2 * MIB), { flag: "wx", sandbox }),
    ],
    ["appendFile", (fs) => fs.appendFile("/p", "", { sandbox })],
    ["appendFile of large data", (fs) => fs.appendFile("/p", new Uint8Array(2 * MIB), { sandbox })],
    ["rename", (fs) => fs.rename("/p", "/q", { sandbox })],
    ["chmod", (fs) => fs.chmod("/p", 0o600, { sandbox })],
    ["symlink", (fs) => fs.symlink("/q", "/p", { sandbox })],
    ["readlink", (fs) => fs.readlink("/p", { sandbox })],
    ["mkdtemp", (fs) => fs.mkdtemp("/p", { sandbox })],
    ["realpath", (fs) => fs.realpath("/p", { sandbox })],
    ["stat", (fs) => fs.stat("/p", { sandbox })],
    ["exists", (fs) => fs.exists("/p", { sandbox })],
    ["readdir", (fs) => fs.readdir("/p", { sandbox })],
    ["walk", (fs) => fs.walk("/p", { sandbox })],
    ["createReadStream", (fs) => fs.createReadStream("/p", { sandbox }).getReader().read()],
    [
      "createWriteStream",
      (fs) => fs.createWriteStream("/p", { sandbox }).getWriter().write(new Uint8Array(1)),
    ],
  ])("is sent by %s without directories that no entry depends on", async (_, act, method = "") => {
    for (const { params } of await sentFor(act, LOOKUPS[method])) {
      expect(params?.["sandbox"]).toEqual({
        permissions: { type: "disabled" },
        windowsSandboxLevel: "disabled",
      });
    }
  });

  it("is accepted by the server", async () => {
    await relayed.fs.writeFile(relayed.path("file"), "text", { sandbox });
    expect(await relayed.fs.readFile(relayed.path("file"), { encoding: "utf8", sandbox })).toBe("text");
  });
});

it("sends small files in one request, large ones in blocks, and nothing twice", async () => {
  const [small, large] = [relayed.path("small"), relayed.path("large")];
  expect(await countsFor((fs) => fs.writeFile(small, new Uint8Array(MIB)))).toEqual({ "fs/writeFile": 1 });
  expect(await countsFor((fs) => fs.readFile(small))).toEqual({ "fs/getMetadata": 1, "fs/readFile": 1 });
  expect(await countsFor((fs) => fs.writeFile(large, new Uint8Array(MIB + 1)))).toEqual({
    "fs/open": 1,
    "fs/writeBlock": 2,
    "fs/close": 1,
  });
  const closes = relayed.relay.count("fs/close");
  expect(await countsFor((fs) => fs.readFile(large))).toMatchObject({ "fs/getMetadata": 1, "fs/open": 1 });
  // The read does not wait for it.
  await relayed.relay.request("fs/close", closes + 1);
  expect(relayed.relay.count("fs/close")).toBe(closes + 1);
});
