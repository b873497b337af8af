import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LazyExecServerClient } from "../src/index.ts";
import { webSocket } from "../src/node.ts";
import { ExecServer } from "./support/exec-server.ts";
import { Origin } from "./support/origin.ts";
import { RULES } from "./support/round-trip-rules.ts";
import { ROWS, roundTripTable } from "./support/round-trip-table.ts";
import { RoundTrips } from "./support/round-trips.ts";

const DOCUMENT = new URL("../docs/performance.md", import.meta.url);

describe.each<readonly string[]>([
  ["--concurrent-requests", "1"],
  ["--concurrent-requests", "8"],
])("on a server with %s %s", (...args) => {
  let server: ExecServer;
  let origin: Origin;
  let trips: RoundTrips;
  let directory: string;
  beforeAll(async () => {
    server = await ExecServer.start({ args });
    origin = await Origin.start((response) => response.end("answer"));
    trips = await RoundTrips.start(server.url, webSocket);
    directory = await mkdtemp(join(tmpdir(), "round-trips-"));
  });
  afterAll(async () => {
    await trips[Symbol.asyncDispose]();
    await origin[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  it.each(ROWS.map((row, at) => ({ ...row, at })))(
    "$operation: $trips round trips",
    async ({ operation, trips: expected, prepare, at }) => {
      const own = join(directory, String(at));
      await mkdir(own);
      await using client = new LazyExecServerClient({ transport: trips });
      if (operation !== "connect") await client.get();
      const path = (...names: string[]): string => join(own, ...names);
      const run = await prepare({ server, client, origin, path });
      expect(await trips.of(run)).toBe(expected);
    },
  );
});

it("names the rule of each operation above its floor, and no other", () => {
  const above = ROWS.filter(({ trips, floor }) => trips > floor);
  expect(above.filter(({ rules }) => rules.length === 0)).toEqual([]);
  expect(new Set(above.flatMap(({ rules }) => rules))).toEqual(new Set(Object.keys(RULES)));
  expect(ROWS.filter(({ trips, floor, rules }) => trips <= floor && rules.length > 0)).toEqual([]);
  expect(ROWS.filter(({ trips, floor }) => trips < floor)).toEqual([]);
});

it("is documented", async () => {
  expect(await readFile(DOCUMENT, "utf8")).toContain(roundTripTable());
});
