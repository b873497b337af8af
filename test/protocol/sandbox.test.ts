import { describe, expect, it } from "vitest";
import { type SandboxContext, type SandboxPath, wireSandbox } from "../../src/protocol/sandbox.ts";

const DIRECTORIES = { cwd: "file:///work", workspaceRoots: ["file:///work", "file:///more"] };

function restricted(...paths: readonly SandboxPath[]): SandboxContext["permissions"] {
  return {
    type: "managed",
    file_system: { type: "restricted", entries: paths.map((path) => ({ path, access: "read" })) },
    network: "restricted",
  };
}

function special(kind: Extract<SandboxPath, { type: "special" }>["value"]["kind"]): SandboxPath {
  return { type: "special", value: { kind } };
}

describe("wireSandbox()", () => {
  it("returns null for no sandbox", () => {
    expect([wireSandbox(undefined), wireSandbox(null)]).toEqual([null, null]);
  });

  it.each<[string, SandboxContext["permissions"]]>([
    ["the project roots", restricted(special("project_roots"))],
    ["the working directory", restricted(special("root"), special("current_working_directory"))],
    ["a relative pattern", restricted({ type: "glob_pattern", pattern: "src/**" })],
  ])("keeps the directories when an entry is %s", (_, permissions) => {
    expect(wireSandbox({ permissions, ...DIRECTORIES })).toMatchObject(DIRECTORIES);
  });

  it.each<[string, SandboxContext["permissions"]]>([
    ["there is no entry", restricted()],
    [
      "the entries are the root and the temporary directories",
      restricted(special("root"), special("tmpdir")),
    ],
    ["the entry is an absolute path", restricted({ type: "path", path: "/etc" })],
    ["the pattern is absolute", restricted({ type: "glob_pattern", pattern: "/etc/**" })],
    ["the pattern is absolute on Windows", restricted({ type: "glob_pattern", pattern: "C:\\etc\\**" })],
    ["the pattern is a URI", restricted({ type: "glob_pattern", pattern: "file:///etc/**" })],
    [
      "files are unrestricted",
      { type: "managed", file_system: { type: "unrestricted" }, network: "enabled" },
    ],
    ["the sandbox is disabled", { type: "disabled" }],
    ["the sandbox is external", { type: "external", network: "restricted" }],
  ])("omits the directories when %s", (_, permissions) => {
    const sent = wireSandbox({ permissions, ...DIRECTORIES });
    expect(Object.keys(sent ?? {}).sort()).toEqual(["permissions", "windowsSandboxLevel"]);
    expect(sent?.permissions).toBe(permissions);
  });

  it("keeps an empty list of workspace roots, which means no roots", () => {
    expect(wireSandbox({ permissions: { type: "disabled" }, workspaceRoots: [] })).toMatchObject({
      workspaceRoots: [],
    });
    expect(wireSandbox({ permissions: restricted(special("project_roots")) })).not.toHaveProperty(
      "workspaceRoots",
    );
  });

  it("sends the level that the server requires, unless it is given", () => {
    const permissions = { type: "disabled" } as const;
    expect(wireSandbox({ permissions })?.windowsSandboxLevel).toBe("disabled");
    expect(wireSandbox({ permissions, windowsSandboxLevel: undefined })?.windowsSandboxLevel).toBe(
      "disabled",
    );
    expect(wireSandbox({ permissions, windowsSandboxLevel: "elevated" })?.windowsSandboxLevel).toBe(
      "elevated",
    );
  });

  it("passes on all other members unchanged, and does not modify its argument", () => {
    const context = {
      permissions: { type: "disabled" },
      ...DIRECTORIES,
      useLegacyLandlock: true,
      windowsSandboxPrivateDesktop: true,
      future: 1,
    } as const;
    const before = structuredClone(context);
    expect(wireSandbox(context)).toMatchObject({
      useLegacyLandlock: true,
      windowsSandboxPrivateDesktop: true,
      future: 1,
    });
    expect(context).toEqual(before);
  });
});
