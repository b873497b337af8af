import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join, posix } from "node:path";
import { describe, expect, it } from "vitest";

const SRC = join(import.meta.dirname, "../src");

/** File contents by path in `src`. */
type Tree = Readonly<Record<string, string>>;

const FLOORS: Readonly<Record<string, number>> = {
  errors: 0,
  internal: 0,
  protocol: 1,
  transport: 1,
  rpc: 3,
  process: 4,
  filesystem: 4,
  http: 4,
  tcp: 4,
  client: 5,
  node: 6,
  gateway: 6,
  testing: 6,
};
const ENTRY_FLOOR = 7;
const ENTRIES = ["index.ts", "index-browser.ts", "node.ts", "gateway.ts", "testing.ts", "testing-node.ts"];
/** The only file of the transports that higher floors may import. */
const CONTRACT = "transport/transport.ts";
/** The wire schemas of the message port protocol. */
const PORT_MESSAGES = "transport/message-port/messages.ts";

/** The modules that decode frames: the codec and its parts. */
const FRAME_DECODERS = ["protocol/codec.ts", "protocol/payload.ts", "protocol/json-rpc.ts"];

const home = (file: string): string => (file.includes("/") ? file.slice(0, file.indexOf("/")) : file);
const floorOf = (file: string): number | undefined =>
  FLOORS[home(file)] ?? (ENTRIES.includes(file) ? ENTRY_FLOOR : undefined);
/** The subfolder of a file, such as `websocket` in `transport/websocket/connection.ts`. */
const subfolderOf = (file: string): string | undefined => {
  const parts = file.split("/");
  return parts.length > 2 ? parts[1] : undefined;
};
const isLocal = (specifier: string): boolean => specifier.startsWith(".");
const isForNode = (file: string): boolean =>
  /^(node|gateway)(\.ts$|\/)|^testing(\/node\/|-node\.ts$)/.test(file);

/** The specifiers of all imports and re-exports, static or dynamic, of values or types. */
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

/** Describes every import that the rules forbid. */
function violations(tree: Tree): string[] {
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
  if (home(file) === home(imported)) return !areSeparateTransports(file, imported);
  // Floors above import only the transport's type, except those that create or export transports.
  if (home(imported) === "transport" && floor > 1 && floor < 6) return imported === CONTRACT;
  if (home(file) === "gateway" && /^node\/(stdio|websocket|upgraded-stream|prompt-ack)\.ts$/.test(imported))
    return true;
  // Helpers may import the errors, but not the reverse.
  if (floor === 0) return home(file) === "internal" && home(imported) === "errors";
  return below < floor;
}

/** Whether two files are in different subfolders of `transport`, which must not import each other. */
function areSeparateTransports(file: string, imported: string): boolean {
  const [subfolder, other] = [subfolderOf(file), subfolderOf(imported)];
  return home(file) === "transport" && subfolder !== undefined && other !== undefined && subfolder !== other;
}

/** Every file except the codec and its parts that decodes frames. */
function otherFrameDecoders(tree: Tree): string[] {
  return Object.entries(tree)
    .filter(([file]) => !FRAME_DECODERS.includes(file) && (floorOf(file) ?? 0) < 6)
    .filter(([, text]) => /\b(parseMessage|decodePayload|JSON\.parse)\b/.test(text))
    .map(([file]) => file);
}

function mayUse(file: string, specifier: string): boolean {
  const name = specifier.replace(/^node:/, "");
  if (specifier.startsWith("node:") || builtinModules.includes(name)) return isForNode(file);
  if (specifier === "ws") return isForNode(file);
  if (specifier === "isows") return file === "transport/websocket/isomorphic.ts";
  return specifier === "zod/mini" && (home(file) === "protocol" || file === PORT_MESSAGES);
}

/** The first import cycle found, or undefined. */
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

describe("src", () => {
  it("imports only from lower floors and from the same folder", () => {
    expect(violations(src)).toEqual([]);
  });

  it("has no import cycle", () => {
    expect(cycleIn(src)).toBeUndefined();
  });

  it("decodes frames in the codec only", () => {
    expect(otherFrameDecoders(src)).toEqual([]);
  });

  it("imports only existing files", () => {
    const missing = Object.keys(src).flatMap((file) =>
      localImports(src, file).filter((imported) => !(imported in src)),
    );
    expect(missing).toEqual([]);
  });

  it("has entries that contain only re-exports", () => {
    expect(entries.map(([file]) => file)).toEqual(expect.arrayContaining(["index.ts", "node.ts"]));
    for (const [file, text] of entries) {
      const rest = text
        .replace(/\/\*[\s\S]*?\*\//g, "")
        .replace(/export\s+(type\s+)?\{[^{}]*\}\s+from\s+"[^"]+";/g, "")
        .trim();
      expect({ file, rest }).toEqual({ file, rest: "" });
    }
  });

  it("has Node.js entries that re-export nothing of the root entry", () => {
    const beyond = ["node", "gateway", "testing-node"].flatMap((name) =>
      localImports(src, `${name}.ts`).filter((imported) => !isForNode(imported)),
    );
    expect(beyond).toEqual([]);
  });
});

describe("the import rules", () => {
  it.each([
    [
      "a helper that imports from a higher floor",
      { "internal/a.ts": 'import { b } from "../protocol/b.ts";' },
    ],
    ["a helper that imports zod", { "internal/a.ts": 'import * as z from "zod/mini";' }],
    ["errors that import a helper", { "errors.ts": 'import { a } from "./internal/a.ts";' }],
    ["a type from a higher floor", { "protocol/a.ts": 'import type { B } from "../rpc/b.ts";' }],
    [
      "rpc that imports a concrete transport",
      { "rpc/a.ts": 'import { b } from "../transport/websocket/websocket.ts";' },
    ],
    [
      "a protocol that imports a transport",
      { "protocol/a.ts": 'import { b } from "../transport/transport.ts";' },
    ],
    [
      "a transport that imports the protocol",
      { "transport/a.ts": 'import { b } from "../protocol/codec.ts";' },
    ],
    [
      "a transport that imports another transport",
      { "transport/websocket/a.ts": 'import { b } from "../message-port/b.ts";' },
    ],
    ["a capability that imports a sibling", { "process/a.ts": 'import { b } from "../filesystem/b.ts";' }],
    [
      "a capability that imports a concrete transport",
      { "process/a.ts": 'export { b } from "../transport/receive-queue.ts";' },
    ],
    [
      "a client that imports a concrete transport",
      { "client/a.ts": 'import { b } from "../transport/websocket/websocket.ts";' },
    ],
    ["a Node.js module in shared code", { "client/a.ts": 'import fs from "node:fs";' }],
    ["a Node.js module without its prefix", { "transport/a.ts": 'import { join } from "path";' }],
    [
      "a dynamic import of a Node.js module",
      { "transport/a.ts": 'const fs = await import(\n  "node:fs"\n);' },
    ],
    ["a side-effect import of a Node.js module", { "index.ts": 'import "node:process";' }],
    ["ws in shared code", { "transport/websocket/websocket.ts": "import WebSocket from 'ws';" }],
    ["isows outside the WebSocket transport", { "transport/a.ts": 'import { WebSocket } from "isows";' }],
    ["zod instead of zod/mini", { "protocol/a.ts": 'import * as z from "zod";' }],
    ["an unknown package", { "protocol/a.ts": 'import x from "left-pad";' }],
    ["the Node.js entry that imports the gateway", { "node/a.ts": 'import { b } from "../gateway/b.ts";' }],
    ["a test server that imports its Node.js part", { "testing/a.ts": 'import { b } from "./node/b.ts";' }],
    [
      "a test server that imports the stdio transport",
      { "testing/node/a.ts": 'import { b } from "../../node/b.ts";' },
    ],
    ["a Node.js module in the test server", { "testing/a.ts": 'import net from "node:net";' }],
    ["an import of an entry", { "client/a.ts": 'import { b } from "../index.ts";' }],
    ["a folder on no floor", { "utils/a.ts": "" }],
    ["a file on no floor", { "helpers.ts": "" }],
  ])("forbid %s", (_, tree) => {
    expect(violations(tree as unknown as Tree)).toHaveLength(1);
  });

  it("find a second decoder of frames", () => {
    expect(
      otherFrameDecoders({
        "protocol/codec.ts": "parseMessage(frame)",
        "rpc/a.ts": "const message = JSON.parse(frame);",
        "process/b.ts": 'import { decodePayload } from "../protocol/payload.ts";',
      }),
    ).toEqual(["rpc/a.ts", "process/b.ts"]);
  });

  it("find an import cycle, also of types", () => {
    expect(
      cycleIn({
        "rpc/a.ts": 'import { b } from "./b.ts";',
        "rpc/b.ts": 'import {\n  c,\n  d,\n} from "./c.ts";',
        "rpc/c.ts": 'import type { A } from "./a.ts";',
      }),
    ).toEqual(["rpc/a.ts", "rpc/b.ts", "rpc/c.ts", "rpc/a.ts"]);
  });

  it("ignore imports in comments", () => {
    expect(specifiersOf('// import "node:fs"\n/** from "ws" */\nimport x from "./x.ts";')).toEqual([
      "./x.ts",
    ]);
  });

  it("allow every permitted kind of import", () => {
    expect(
      violations({
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
