import { symlink, writeFile } from "node:fs/promises";
import type { ExecProcess, LazyExecServerClient } from "../../src/index.ts";
import type { ExecServer } from "./exec-server.ts";
import { failureOf } from "./failure.ts";
import type { Origin } from "./origin.ts";
import { RULES } from "./round-trip-rules.ts";

/** What the operations run on. */
export interface Stage {
  readonly server: ExecServer;
  readonly client: LazyExecServerClient;
  readonly origin: Origin;
  /** A path in a directory of this operation. */
  path(...names: string[]): string;
}

interface Row {
  readonly operation: string;
  readonly trips: number;
  /** The round trips of an ideal client, with blocks of 1 MiB, four in flight. */
  readonly floor: number;
  /** Required above the floor. */
  readonly rules: readonly (keyof typeof RULES)[];
  /** Prepares what does not count, and returns the operation. */
  prepare(stage: Stage): Promise<() => Promise<unknown>>;
}

const MIB = 1024 * 1024;

function row(
  operation: string,
  trips: number,
  floor: number,
  prepare: Row["prepare"],
  ...rules: readonly (keyof typeof RULES)[]
): Row {
  return { operation, trips, floor, rules, prepare };
}

/** A row at its floor, whose operation needs no preparation. */
function atFloor(operation: string, run: (stage: Stage) => Promise<unknown>): Row {
  return row(operation, 1, 1, async (stage) => () => run(stage));
}

async function fileOf(stage: Stage, size: number): Promise<string> {
  const path = stage.path("file");
  await writeFile(path, new Uint8Array(size));
  return path;
}

const readsFile = (size: number) => async (stage: Stage) => {
  const path = await fileOf(stage, size);
  return () => stage.client.fs.readFile(path);
};

const writesFile = (size: number) => async (stage: Stage) => () =>
  stage.client.fs.writeFile(stage.path("new"), new Uint8Array(size));

const readsStream = (size: number, isWhole: boolean) => async (stage: Stage) => {
  const reader = stage.client.fs.createReadStream(await fileOf(stage, size)).getReader();
  return async () => {
    while (!(await reader.read()).done && isWhole);
    reader.releaseLock();
  };
};

const copies = (isThere: boolean) => async (stage: Stage) => {
  const from = await fileOf(stage, 5);
  const to = stage.path("copy");
  if (isThere) await writeFile(to, "old");
  return () => stage.client.fs.cp(from, to);
};

const lists = (withFileTypes: boolean, recursive: boolean, link?: string) => async (stage: Stage) => {
  const { fs } = stage.client;
  await fs.mkdir(stage.path("below", "deeper"), { recursive: true });
  if (link) await symlink("below", stage.path(link));
  const directory = stage.path();
  return () =>
    withFileTypes
      ? fs.readdir(directory, { withFileTypes, recursive })
      : fs.readdir(directory, { recursive });
};

async function terminal(stage: Stage): Promise<ExecProcess> {
  return await stage.client.start(["cat"], { tty: true });
}

export const ROWS: readonly Row[] = [
  row(
    "connect",
    3,
    3,
    async ({ client }) =>
      () =>
        client.get(),
  ),
  atFloor("`run` of a small command", ({ client }) => client.run(["echo", "hello"])),
  atFloor("`start`", ({ client }) => client.start(["true"])),
  atFloor("`start` with a terminal", terminal),
  row(
    "`start` of a missing program, until it rejects",
    2,
    1,
    async ({ client }) =>
      () =>
        failureOf(client.start(["no-such-program"])),
    "one error",
  ),
  atFloor('`start` with `stdin: "pipe"`', ({ client }) => client.start(["cat"], { stdin: "pipe" })),
  row(
    "`run` with `input` of up to 1 MiB",
    3,
    1,
    async ({ client }) =>
      () =>
        client.run(["cat"], { input: "hello" }),
    "no order",
  ),
  row("`write`, until its echo is read", 1, 1, async (stage) => {
    const process = await terminal(stage);
    const output = process[Symbol.asyncIterator]();
    return () => Promise.all([process.write("k"), output.next()]);
  }),
  row("`resize`", 1, 1, async (stage) => {
    const process = await terminal(stage);
    return () => process.resize({ rows: 30, cols: 100 });
  }),
  row(
    "60 writes at once, until the last echo is read",
    2,
    1,
    async (stage) => {
      const process = await terminal(stage);
      return async () => {
        for (let key = 0; key < 60; key++) void process.write("k");
        let echoed = 0;
        for await (const { chunk } of process) {
          echoed += chunk.length;
          if (echoed === 60) return;
        }
      };
    },
    "no order",
  ),
  row("60 calls of `resize` at once", 1, 1, async (stage) => {
    const process = await terminal(stage);
    return () =>
      Promise.all(
        Array.from({ length: 60 }, (_, more) => process.resize({ rows: 20 + more, cols: 100 + more })),
      );
  }),
  row("`interrupt`, `terminate`", 1, 1, async (stage) => {
    const process = await terminal(stage);
    return () => Promise.all([process.interrupt(), process.terminate()]);
  }),
  atFloor("`stat`, `lstat`, `exists`, `realpath`", ({ client: { fs }, path }) =>
    Promise.all([fs.stat(path()), fs.lstat(path()), fs.exists(path()), fs.realpath(path())]),
  ),
  atFloor("`mkdir`", ({ client: { fs }, path }) => fs.mkdir(path("new"))),
  row("`readFile` of up to 1 MiB", 2, 1, readsFile(MIB), "one frame", "held responses"),
  row("`readFile` of 16 MiB", 6, 4, readsFile(16 * MIB), "one frame", "no order"),
  row("`writeFile` of up to 1 MiB", 1, 1, writesFile(MIB)),
  row("`writeFile` of 16 MiB", 6, 4, writesFile(16 * MIB), "no order", "text file busy"),
  row(
    "`createReadStream`, until the first bytes",
    2,
    1,
    readsStream(MIB, false),
    "no order",
    "held responses",
  ),
  row(
    "`createReadStream` of less than 1 MiB, until its end",
    2,
    1,
    readsStream(MIB - 1, true),
    "no order",
    "held responses",
  ),
  row(
    "`createWriteStream`, until the first block is confirmed",
    2,
    1,
    async ({ client, path }) =>
      () =>
        new Promise((onProgress) => {
          const writer = client.fs.createWriteStream(path("new"), { onProgress }).getWriter();
          for (let block = 0; block < 4; block++) void writer.write(new Uint8Array(MIB));
        }),
    "no order",
  ),
  row(
    "`createWriteStream` of up to 4 MiB, until it is closed",
    3,
    1,
    async ({ client, path }) => {
      const writer = client.fs.createWriteStream(path("new")).getWriter();
      return async () => {
        void writer.write(new Uint8Array(MIB / 2));
        await writer.close();
      };
    },
    "no order",
    "text file busy",
  ),
  row("`readdir`", 1, 1, lists(false, false)),
  row("`readdir` with `withFileTypes`", 1, 1, lists(true, false)),
  row(
    "`readdir` with `withFileTypes`, links in the directory",
    2,
    1,
    lists(true, false, "link"),
    "hidden links",
  ),
  row("`readdir` with `recursive`, three levels", 3, 1, lists(false, true), "one level"),
  atFloor("`walk`", ({ client: { fs }, path }) => fs.walk(path())),
  row("`cp` to a new path", 2, 1, copies(false), "copies onto itself"),
  row("`cp` to a file that exists", 3, 1, copies(true), "copies onto itself", "held responses"),
  row(
    "`rm` of a file",
    2,
    1,
    async (stage) => {
      const path = await fileOf(stage, 1);
      return () => stage.client.fs.rm(path);
    },
    "removes directories",
  ),
  row("`rm` with `recursive`", 1, 1, async (stage) => {
    await fileOf(stage, 1);
    return () => stage.client.fs.rm(stage.path(), { recursive: true });
  }),
  row(
    "`lstat` of a link",
    2,
    1,
    async ({ client: { fs }, path }) => {
      await symlink("target", path("link"));
      return () => fs.lstat(path("link"));
    },
    "links as targets",
  ),
  row("`rename`, `chmod`, `symlink`, `readlink`, `mkdtemp`", 1, 1, async ({ client: { fs }, path }) => {
    await symlink("target", path("there"));
    for (const name of ["old", "file"]) await writeFile(path(name), "");
    return () =>
      Promise.all([
        fs.rename(path("old"), path("new")),
        fs.chmod(path("file"), 0o600),
        fs.symlink("target", path("link")),
        fs.readlink(path("there")),
        fs.mkdtemp(path("directory-")),
      ]);
  }),
  row(
    "`appendFile`, `writeFile` with `flag` or `mode`, of up to 25 kB",
    1,
    1,
    async ({ client: { fs }, path }) =>
      () =>
        Promise.all([
          fs.appendFile(path("appended"), "hello"),
          fs.writeFile(path("exclusive"), "hello", { flag: "wx" }),
          fs.writeFile(path("executable"), "hello", { mode: 0o755 }),
        ]),
  ),
  row(
    "`appendFile` of up to 1 MiB",
    2,
    1,
    async ({ client: { fs }, path }) =>
      () =>
        fs.appendFile(path("appended"), new Uint8Array(MIB)),
    "no order",
  ),
  row(
    "`writeFile` with `mode` of up to 1 MiB",
    2,
    1,
    async ({ client: { fs }, path }) =>
      () =>
        fs.writeFile(path("executable"), new Uint8Array(MIB), { mode: 0o755 }),
    "no order",
  ),
  row(
    "`unpackDirectory` of up to 1 MiB",
    3,
    1,
    async ({ client: { fs }, path }) => {
      await fs.mkdir(path("from"));
      const tar = await new Response(fs.packDirectory(path("from"))).bytes();
      return () => fs.unpackDirectory(path("to"), tar);
    },
    "no order",
  ),
  row(
    "the first `connectTcp` of a session",
    2,
    1,
    async ({ client, server }) =>
      () =>
        client.connectTcp({ port: Number(new URL(server.url).port) }),
    "a relay",
  ),
  row("each further `connectTcp`", 1, 1, async ({ client, server }) => {
    const connect = () => client.connectTcp({ port: Number(new URL(server.url).port) });
    await connect();
    return connect;
  }),
  atFloor("`fetch`, until the body is read", async ({ client, origin }) =>
    (await client.fetch(origin.url)).text(),
  ),
  atFloor("`fetch` with a stream as its body", async ({ client, origin }) => {
    const body = new Blob(["hello"]).stream();
    return await (await client.fetch(origin.url, { method: "POST", body })).text();
  }),
  row(
    "the first call after a loss",
    4,
    3,
    async ({ server, client }) => {
      const { disconnected } = await client.get();
      await server.restart();
      await disconnected;
      return () => client.status();
    },
    "handshake",
  ),
];

/** The rows as a Markdown table, and the rules that it cites. */
export function roundTripTable(): string {
  const cited = Object.keys(RULES);
  const lines = ROWS.map(({ operation, trips, floor, rules }) => {
    const notes = rules.map((rule) => `${rule} (${cited.indexOf(rule) + 1})`).join(", ");
    return `| ${operation} | ${trips} | ${floor} | ${notes} |`;
  });
  const rules = Object.values(RULES).map((fact, at) => `${at + 1}. ${fact}`);
  return ["| operation | round trips | floor | because |", "|:--|--:|--:|:--|", ...lines, "", ...rules].join(
    "\n",
  );
}
