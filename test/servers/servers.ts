/**
 * Runs the story and every feature of the table against real servers of several versions, and prints which of them has
 * what. `npm run test:servers` installs six; arguments name others: `pinned`, `newest`, or versions.
 *
 * Fails if a server does otherwise than the table says. What only the newest on the registry does otherwise is a warning.
 */
import { FEATURES, type ServerFeature } from "../../src/protocol/features.ts";
import { CODEX_VERSION } from "../support/exec-server.ts";
import { installServer, newestVersion } from "./install.ts";
import { ROWS } from "./rows.ts";
import { sessionLife } from "./session-life.ts";
import { GZIPPED, Stage } from "./stage.ts";
import { story } from "./story.ts";

/** The oldest supported server, and others with different features. */
const OLDER = ["0.151.0", "0.155.0", "0.162.1", "0.166.0", "0.169.0"];
const FLOOR = 151;
const NAMES = Object.keys(FEATURES) as ServerFeature[];

interface Column {
  readonly version: string;
  readonly cells: ReadonlyMap<string, string>;
  readonly problems: readonly string[];
}

const minorOf = (version: string): number => Number(version.split(".")[1]);
const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function measure(version: string): Promise<Column> {
  const cells = new Map<string, string>();
  const problems: string[] = [];
  const cell = async (name: string, work: () => Promise<string>): Promise<void> => {
    try {
      cells.set(name, await work());
    } catch (error) {
      cells.set(name, "**no**");
      problems.push(`server ${version}, ${name}: ${textOf(error)}`);
    }
  };
  const binary = await installServer(version);
  const life = cell("a detached session lives", () => sessionLife(binary, minorOf(version) >= 168 ? 80 : 30));
  await using stage = await Stage.start(binary);
  await cell("`serverVersion`", async () => {
    const { serverVersion } = await stage.client.get();
    if (serverVersion !== (minorOf(version) >= 155 ? version : undefined))
      throw new Error(`${serverVersion}`);
    return serverVersion ?? "undefined";
  });
  await cell("the story", async () => {
    await story(binary);
    return "yes";
  });
  for (const name of NAMES) await cell(`\`${name}\``, () => check(stage, version, name));
  await cell("gzip in responses is decoded", async () => {
    const response = await stage.client.fetch(`${stage.origin.url}/gzip`);
    if ((await response.json()).text !== GZIPPED.text) throw new Error("not decoded");
    return response.rawHeaders.some(([header]) => header === "content-encoding")
      ? "by the SDK"
      : "by the server";
  });
  await life;
  return { version, cells, problems };
}

/** Compares what the server does with what the table says, `supports()` answers and the SDK does. */
async function check(stage: Stage, version: string, feature: ServerFeature): Promise<string> {
  const { raw, use } = ROWS[feature];
  const does = await raw(stage).then(
    (result) => result !== false,
    () => false,
  );
  const expected = minorOf(version) >= FEATURES[feature].since;
  const supports = await stage.client.supports(feature);
  if (supports !== expected) throw new Error(`supports() is ${supports}, and the table says ${expected}`);
  // A server below the floor can do more than it reports.
  if (does !== supports && (supports || minorOf(version) >= FLOOR)) {
    throw new Error(`the server ${does ? "does" : "does not do"} it, and supports() is ${supports}`);
  }
  if (supports) {
    await use(stage);
    return "yes";
  }
  const error: unknown = await use(stage).then(
    () => undefined,
    (reason) => reason,
  );
  const { code, feature: named } = (error ?? {}) as { code?: string; feature?: string };
  // It may lack something more basic as well.
  const isNamed = FEATURES[named as ServerFeature]?.since <= FEATURES[feature].since;
  if (code === "ERR_UNSUPPORTED" && isNamed) return "refused";
  throw new Error(`not refused but ${error === undefined ? "done" : textOf(error)}`);
}

function print(columns: readonly Column[]): void {
  const rows = [...(columns[0]?.cells.keys() ?? [])];
  const lines = [
    `| | ${columns.map(({ version }) => version).join(" | ")} |`,
    `|---|${columns.map(() => "---").join("|")}|`,
    ...rows.map((row) => `| ${row} | ${columns.map(({ cells }) => cells.get(row) ?? "").join(" | ")} |`),
  ];
  process.stdout.write(`\n${lines.join("\n")}\n`);
}

async function main(): Promise<void> {
  const names = process.argv.slice(2);
  const wanted = names.length > 0 ? names : [...OLDER, "pinned", "newest"];
  const newest = wanted.includes("newest") ? await newestVersion() : undefined;
  if (wanted.includes("newest") && newest === undefined)
    process.stdout.write("warning: the registry can't be reached, so the newest server is not tested\n");
  const versions = new Set<string>();
  for (const name of wanted) {
    const version = name === "pinned" ? CODEX_VERSION : name === "newest" ? newest : name;
    if (version !== undefined) versions.add(version);
  }
  // At once, because most of the time is the wait for detached sessions.
  const columns = await Promise.all([...versions].map(measure));
  print(columns);
  for (const { version, problems } of columns) {
    const isWarning = version === newest && version !== CODEX_VERSION;
    for (const problem of problems) process.stdout.write(`${isWarning ? "warning" : "FAILED"}: ${problem}\n`);
    if (problems.length > 0 && !isWarning) process.exitCode = 1;
  }
}

await main();
