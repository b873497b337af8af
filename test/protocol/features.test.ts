import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FEATURES, type OldServer, type ServerFeature, ServerFeatures } from "../../src/protocol/features.ts";

const never = (): Promise<OldServer> => Promise.reject(new Error("not asked"));
const allOf = (server: ServerFeatures) =>
  (Object.keys(FEATURES) as ServerFeature[]).filter((feature) => server.has(feature));
const failureOf = (work: () => void): unknown => {
  try {
    work();
    return undefined;
  } catch (error) {
    return error;
  }
};
const UNTIL_150 = ["files", "commands", "readStreams", "defaultCwd", "redirects", "walk", "status"];

describe("what a server has", () => {
  it("is decided by its capabilities if it reports a version, also one of a build from source", () => {
    const info = { executorVersion: "0.0.0", platformOs: "linux", capabilities: { fsWatchMissing: true } };
    expect(allOf(new ServerFeatures(info, never))).toEqual([
      ...UNTIL_150,
      "terminalSize",
      "scripts",
      "watch",
    ]);
  });

  it("does not contain a capability that it denies, however new it is", () => {
    const info = { executorVersion: "0.999.0", capabilities: { fsWatchMissing: false } };
    expect(new ServerFeatures(info, never).has("watch")).toBe(false);
  });

  it.each([
    ["0.150, by a handshake without a system", {}, UNTIL_150],
    ["0.151, by the system", { platformOs: "macos" }, [...UNTIL_150, "terminalSize", "scripts"]],
    ["Windows", { platformOs: "windows" }, UNTIL_150],
  ])("is known by what it reports: %s", (_, info, features) => {
    expect(allOf(new ServerFeatures(info, never))).toEqual(features);
  });

  it.each([
    [0, []],
    [140, ["files"]],
    [142, ["files", "commands", "readStreams"]],
    [143, ["files", "commands", "readStreams", "defaultCwd", "redirects", "walk"]],
    [145, UNTIL_150],
  ])("is known by its answers if it is of version 0.%i", async (least, features) => {
    const server = new ServerFeatures(undefined, async () => ({ info: {}, least }));
    expect(allOf(server)).toEqual([]);
    await server.learn();
    expect(allOf(server)).toEqual(features);
  });

  it("is asked for once", async () => {
    let asked = 0;
    const server = new ServerFeatures(undefined, async () => ({ info: {}, least: asked++ }));
    await server.learn();
    await server.learn();
    expect(asked).toBe(1);
  });
});

describe("a refusal", () => {
  it.each([
    [{ executorVersion: "0.158.0" }, "0.158.0", "0.158.0"],
    [{ platformOs: "linux" }, undefined, "older than 0.155.0"],
    [{}, undefined, "older than 0.151.0"],
    [undefined, undefined, "older than 0.150.0"],
  ])("names the feature, the version needed and the version found (%j)", (info, serverVersion, found) => {
    const server = new ServerFeatures(info, never);
    expect(failureOf(() => server.need("watch", "whenAppears()"))).toMatchObject({
      code: "ERR_UNSUPPORTED",
      feature: "watch",
      requiredVersion: "0.166.0",
      delivery: "not-sent",
      ...(serverVersion ? { serverVersion } : {}),
      message: `whenAppears() requires server version 0.166.0 with the capability fsWatchMissing; this server is ${found}`,
    });
  });

  it("names the system, if the version suffices", () => {
    const server = new ServerFeatures({ executorVersion: "0.171.0", platformOs: "windows" }, never);
    expect(failureOf(() => server.need("terminalSize", "resize()"))).toMatchObject({
      message: "resize() requires a POSIX server",
    });
  });

  it("is left to the server if it is not known, except for what such a server can't have", () => {
    const server = new ServerFeatures(undefined, never);
    expect(failureOf(() => server.need("walk", "walk()"))).toBeUndefined();
    expect(failureOf(() => server.need("headersFromEnv", "headersFromEnv"))).toMatchObject({
      feature: "headersFromEnv",
    });
  });
});

describe("docs/versions.md", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/versions.md"), "utf8");

  it("lists the features of the table with their first versions", () => {
    const rows = [...page.matchAll(/^\| `(\w+)` \| 0\.(\d+) \|/gm)].map(([, name, since]) => [
      name,
      Number(since),
    ]);
    expect(rows).toEqual(Object.entries(FEATURES).map(([name, { since }]) => [name, since]));
  });

  it("has measured each of them", () => {
    for (const name of Object.keys(FEATURES))
      expect(page).toMatch(new RegExp(`^\\| \`${name}\` \\| (yes|refused) `, "m"));
  });
});
