import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join, posix } from "node:path";
import { describe, expect, it } from "vitest";

const SRC = join(import.meta.dirname, "../src");

/** Files by their path in `src`, each with its text. */
type Tree = Readonly<Record<string, string>>;

const FLOORS: Readonly<Record<string, number>> = {
  "errors.ts": 0,
  internal: 0,
  protocol: 1,
  transport: 1,
  rpc: 3,
  process: 4,
  filesystem: 4,
  http: 4,
  client: 5,
  node: 6,
  gateway: 6,
  testing: 6,
};
const ENTRY_FLOOR = 7;
const ENTRIES = ["index.ts", "node.ts", "gateway.ts", "testing.ts", "testing-node.ts"];
/** What everybody above may know of a transport. */
const CONTRACT = "transport/transport.ts";
/** The wire schemas of the message port, which is a protocol of its own. */
const PORT_MESSAGES = "transport/message-port/messages.ts";

/** The modules that read frames: the codec, and what it is made of. */
const FRAME_READERS = ["protocol/codec.ts", "protocol/payload.ts", "protocol/json-rpc.ts"];

const home = (file: string): string => (file.includes("/") ? file.slice(0, file.indexOf("/")) : file);
const floorOf = (file: string): number | undefined =>
  FLOORS[home(file)] ?? (ENTRIES.includes(file) ? ENTRY_FLOOR : undefined);
/** The folder inside a floor, such as `websocket` of `transport/websocket/connection.ts`. */
const roomOf = (file: string): string | undefined => {
  const parts = file.split("/");
  return parts.length > 2 ? parts[1] : undefined;
};
const isLocal = (specifier: string): boolean => specifier.startsWith(".");
const isForNode = (file: string): boolean =>
  /^(node|gateway)(\.ts$|\/)|^testing(\/node\/|-node\.ts$)/.test(file);

/** The specifiers of every import and re-export, static or dynamic, of values or types. */
function specifiersOf(text: string): string[] {
  const withoutComments = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const patterns = [
    /(?<!["'])\bfrom\s*["']([^"']+)["']/g,
    /\bimport\s*["']([^"']+)["']/g,
    /\b(?:import|require)\s*\(\s*["']([^"']+)["']/g,
  ];
  return patterns.flatMap((pattern) =>
    [...withoutComments.matchAll(pattern)].map((match) => match[1] as string),
  );
}

function localImports(tree: Tree, file: string): string[] {
  return specifiersOf(tree[file] ?? "")
    .filter(isLocal)
    .map((specifier) => posix.normalize(posix.join(posix.dirname(file), specifier)));
}

/** Every import that no floor allows, in words. */
function breaches(tree: Tree): string[] {
  return Object.keys(tree).flatMap((file) => {
    const floor = floorOf(file);
    if (floor === undefined) return [`${file} is on no floor`];
    return [
      ...localImports(tree, file)
        .filter((imported) => !mayImport(file, floor, imported))
        .map((imported) => `${file} imports ${imported}`),
      ...specifiersOf(tree[file] ?? "")
        .filter((specifier) => !isLocal(specifier) && !mayUse(file, specifier))
        .map((specifier) => `${file} uses ${specifier}`),
    ];
  });
}

function mayImport(file: string, floor: number, imported: string): boolean {
  const below = floorOf(imported);
  if (below === undefined || below === ENTRY_FLOOR) return false;
  if (isForNode(imported) && !isForNode(file)) return false;
  if (home(file) === home(imported)) return !areNeighbours(file, imported);
  // Only the transport's type is known above, save where transports are made or offered.
  if (home(imported) === "transport" && floor > 1 && floor < 6) return imported === CONTRACT;
  if (home(file) === "gateway" && /^node\/(stdio|websocket)\.ts$/.test(imported)) return true;
  // The errors are what the helpers speak of, never the other way round.
  if (floor === 0) return home(file) === "internal" && imported === "errors.ts";
  return below < floor;
}

/** Two rooms of `transport`, which share only what lies beside them. */
function areNeighbours(file: string, imported: string): boolean {
  const [room, other] = [roomOf(file), roomOf(imported)];
  return home(file) === "transport" && room !== undefined && other !== undefined && room !== other;
}

/** Every file besides the codec that reads frames. */
function otherFrameReaders(tree: Tree): string[] {
  return Object.entries(tree)
    .filter(([file]) => !FRAME_READERS.includes(file) && (floorOf(file) ?? 0) < 6)
    .filter(([, text]) => /\b(parseMessage|decodePayload|JSON\.parse)\b/.test(text))
    .map(([file]) => file);
}

function mayUse(file: string, specifier: string): boolean {
  const name = specifier.replace(/^node:/, "");
  if (specifier.startsWith("node:") || builtinModules.includes(name)) return isForNode(file);
  if (specifier === "ws") return isForNode(file);
  if (specifier === "isows") return file === "transport/websocket/websocket.ts";
  return specifier === "zod/mini" && (home(file) === "protocol" || file === PORT_MESSAGES);
}

/** The first circle of imports found, or undefined. */
function cycleIn(tree: Tree): string[] | undefined {
  const finished = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (finished.has(file)) return undefined;
    for (const imported of localImports(tree, file)) {
      const cycle = visit(imported, [...path, file]);
      if (cycle) return cycle;
    }
    finished.add(file);
    return undefined;
  };
  for (const file of Object.keys(tree)) {
    const cycle = visit(file, []);
    if (cycle) return cycle;
  }
  return undefined;
}

const src: Tree = Object.fromEntries(
  readdirSync(SRC, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => file.endsWith(".ts"))
    .map((file) => [file, readFileSync(join(SRC, file), "utf8")]),
);
const entries = Object.entries(src).filter(([file]) => floorOf(file) === ENTRY_FLOOR);

describe("the house", () => {
  it("has every file on a floor that imports only from below or from its own folder", () => {
    expect(breaches(src)).toEqual([]);
  });

  it("has no circle of imports", () => {
    expect(cycleIn(src)).toBeUndefined();
  });

  it("has one reader of frames, the codec", () => {
    expect(otherFrameReaders(src)).toEqual([]);
  });

  it("has imports only of files that exist", () => {
    const missing = Object.keys(src).flatMap((file) =>
      localImports(src, file).filter((imported) => !(imported in src)),
    );
    expect(missing).toEqual([]);
  });

  it("has entries that only name what they offer", () => {
    expect(entries.map(([file]) => file)).toEqual(expect.arrayContaining(["index.ts", "node.ts"]));
    for (const [file, text] of entries) {
      const rest = text
        .replace(/\/\*[\s\S]*?\*\//g, "")
        .replace(/export\s+(type\s+)?\{[^{}]*\}\s+from\s+"[^"]+";/g, "")
        .trim();
      expect({ file, rest }).toEqual({ file, rest: "" });
    }
  });

  it("has Node entries that offer nothing of the root", () => {
    const beyond = ["node", "gateway", "testing-node"].flatMap((name) =>
      localImports(src, `${name}.ts`).filter((imported) => !isForNode(imported)),
    );
    expect(beyond).toEqual([]);
  });
});

describe("the rules", () => {
  it.each([
    ["a helper that knows a floor above", { "internal/a.ts": 'import { b } from "../protocol/b.ts";' }],
    ["a helper with zod", { "internal/a.ts": 'import * as z from "zod/mini";' }],
    ["errors that know a helper", { "errors.ts": 'import { a } from "./internal/a.ts";' }],
    ["a type from above", { "protocol/a.ts": 'import type { B } from "../rpc/b.ts";' }],
    [
      "calls that know a concrete transport",
      { "rpc/a.ts": 'import { b } from "../transport/websocket/websocket.ts";' },
    ],
    [
      "a protocol that knows a transport",
      { "protocol/a.ts": 'import { b } from "../transport/transport.ts";' },
    ],
    [
      "a transport that knows the protocol",
      { "transport/a.ts": 'import { b } from "../protocol/codec.ts";' },
    ],
    [
      "a room of transport that knows another one",
      { "transport/websocket/a.ts": 'import { b } from "../message-port/b.ts";' },
    ],
    ["a capability that knows its sibling", { "process/a.ts": 'import { b } from "../filesystem/b.ts";' }],
    [
      "a capability that knows a concrete transport",
      { "process/a.ts": 'export { b } from "../transport/receive-queue.ts";' },
    ],
    [
      "a client that knows a concrete transport",
      { "client/a.ts": 'import { b } from "../transport/websocket/websocket.ts";' },
    ],
    ["Node in the shared part", { "client/a.ts": 'import fs from "node:fs";' }],
    ["Node without its prefix", { "transport/a.ts": 'import { join } from "path";' }],
    ["Node, loaded later", { "transport/a.ts": 'const fs = await import(\n  "node:fs"\n);' }],
    ["Node for its effect", { "index.ts": 'import "node:process";' }],
    ["ws in the shared part", { "transport/websocket/websocket.ts": "import WebSocket from 'ws';" }],
    ["isows elsewhere", { "transport/a.ts": 'import { WebSocket } from "isows";' }],
    ["the whole of zod", { "protocol/a.ts": 'import * as z from "zod";' }],
    ["a package nobody knows", { "protocol/a.ts": 'import x from "left-pad";' }],
    ["stdio that knows the gateway", { "node/a.ts": 'import { b } from "../gateway/b.ts";' }],
    ["a test server that knows Node's part of it", { "testing/a.ts": 'import { b } from "./node/b.ts";' }],
    ["a test server that knows stdio", { "testing/node/a.ts": 'import { b } from "../../node/b.ts";' }],
    ["Node in a test server", { "testing/a.ts": 'import net from "node:net";' }],
    ["a use of an entry", { "client/a.ts": 'import { b } from "../index.ts";' }],
    ["a folder on no floor", { "utils/a.ts": "" }],
    ["a file on no floor", { "helpers.ts": "" }],
  ])("find %s", (_, tree) => {
    expect(breaches(tree as unknown as Tree)).toHaveLength(1);
  });

  it("find another reader of frames", () => {
    expect(
      otherFrameReaders({
        "protocol/codec.ts": "parseMessage(frame)",
        "rpc/a.ts": "const message = JSON.parse(frame);",
        "process/b.ts": 'import { decodePayload } from "../protocol/payload.ts";',
      }),
    ).toEqual(["rpc/a.ts", "process/b.ts"]);
  });

  it("find a circle, also one of types", () => {
    expect(
      cycleIn({
        "rpc/a.ts": 'import { b } from "./b.ts";',
        "rpc/b.ts": 'import {\n  c,\n  d,\n} from "./c.ts";',
        "rpc/c.ts": 'import type { A } from "./a.ts";',
      }),
    ).toEqual(["rpc/a.ts", "rpc/b.ts", "rpc/c.ts", "rpc/a.ts"]);
  });

  it("take no comment for an import", () => {
    expect(specifiersOf('// import "node:fs"\n/** from "ws" */\nimport x from "./x.ts";')).toEqual([
      "./x.ts",
    ]);
  });

  it("allow what the house is for", () => {
    expect(
      breaches({
        "rpc/a.ts": 'import { MAX } from "../transport/transport.ts";',
        "transport/websocket/a.ts": 'import { b } from "../receive-queue.ts";\nimport { c } from "./c.ts";',
        "node/a.ts": 'import { b } from "../transport/receive-queue.ts";\nimport fs from "node:fs";',
        "gateway/a.ts": 'import { b } from "../node/websocket.ts";\nimport { WebSocketServer } from "ws";',
        "testing/a.ts": 'import { b } from "../transport/websocket/connection.ts";',
        "testing/node/a.ts": 'import { b } from "../a.ts";\nimport net from "node:net";',
        "testing-node.ts": 'export { b } from "./testing/node/b.ts";',
        "index.ts": 'export { b } from "./transport/websocket/websocket.ts";',
      }),
    ).toEqual([]);
  });
});
