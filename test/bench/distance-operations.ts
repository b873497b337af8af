import { setTimeout as sleep } from "node:timers/promises";
import type { ExecProcess, LazyExecServerClient } from "../../dist/index.js";
import type { ExecServer } from "../support/exec-server.ts";
import { HandWrittenClient } from "./hand-written.ts";
import { startByHand } from "./process-by-hand.ts";
import { newId } from "./rpc-client.ts";

/** Both clients at the same distance from one server. */
export interface Pair {
  readonly sdk: LazyExecServerClient;
  byHand: HandWrittenClient;
  readonly server: ExecServer;
  /** The distant one. */
  readonly url: string;
  /** Of an HTTP server beside the exec-server. */
  readonly origin: string;
}

/** The program in a terminal, in either client. */
interface Terminal {
  write(text: string): void;
  resize(rows: number, cols: number): void;
  /** Resolves when the output since the start of the operation contains the text. */
  shows(text: string): Promise<void>;
  terminate(): Promise<unknown>;
}

export interface Operation {
  readonly name: string;
  readonly turns: number;
  /** Those of the hand-written client, where each takes many round trips. @default turns */
  readonly turnsByHand?: number;
  /** Maximum in round trips. */
  readonly goal?: number;
  sdk(pair: Pair): Promise<number>;
  byHand(pair: Pair): Promise<number>;
}

const KEYS = 60;
const KEY_MS = 1000 / 30;
const SIZES = 60;
const SIZE_MS = 1000 / 60;

/** Prints the size of its terminal as soon as it changes, after a line with the name of the terminal's device. */
const SHOWS_SIZE = ["sh", "-c", 'trap "stty size" WINCH; tty; sleep 9 & while :; do wait; done'];

/** Milliseconds of a call. */
async function timed(call: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await call();
  return performance.now() - start;
}

/** Collects output and resolves waits for a text in it. */
class Screen {
  #text = "";
  #onText = (): void => {};

  add(chunk: Uint8Array): void {
    this.#text += Buffer.from(chunk).toString();
    this.#onText();
  }

  async shows(pattern: string | RegExp): Promise<string> {
    for (;;) {
      const [found] = this.#text.match(pattern) ?? [];
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        this.#onText = resolve;
      });
    }
  }
}

/** The last operation ends the connection. */
const ignore = (): void => {};

async function terminalOfSdk({ sdk }: Pair, argv: string[]): Promise<Terminal> {
  const process: ExecProcess = await sdk.start(argv, { tty: true });
  const screen = new Screen();
  const reading = (async () => {
    for await (const { chunk } of process) screen.add(chunk);
  })();
  reading.catch(ignore);
  if (argv === SHOWS_SIZE) await screen.shows("/dev/");
  return {
    write: (text) => void process.write(text).catch(ignore),
    resize: (rows, cols) => void process.resize({ rows, cols }).catch(ignore),
    shows: async (text) => void (await screen.shows(text)),
    terminate: () => process.terminate(),
  };
}

/** Waits for each response before the next request: a server with concurrent requests would change their order. */
async function terminalByHand({ byHand }: Pair, argv: string[]): Promise<Terminal> {
  const screen = new Screen();
  const { processId } = await startByHand(byHand, argv, (chunk) => screen.add(chunk), true);
  const device = argv === SHOWS_SIZE ? await screen.shows(/\/dev\/\S+(?=\s)/) : "";
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = (work: () => Promise<unknown>): void => {
    last = last.then(work);
  };
  return {
    write: (text) => {
      const chunk = Buffer.from(text).toString("base64");
      inTurn(() => byHand.call("process/write", { processId, chunk, writeId: newId() }));
    },
    resize: (rows, cols) => {
      const command = `stty rows ${rows} cols ${cols} < ${device}`;
      inTurn(async () => (await startByHand(byHand, ["sh", "-c", command], () => {})).closed);
    },
    shows: async (text) => void (await screen.shows(text)),
    terminate: () => byHand.call("process/terminate", { processId }),
  };
}

/** An operation on a terminal, which is the same for both clients. */
function inTerminal(
  description: Pick<Operation, "name" | "turns" | "turnsByHand" | "goal">,
  argv: string[],
  measure: (terminal: Terminal) => Promise<number>,
): Operation {
  const on = async (terminal: Terminal): Promise<number> => {
    const ms = await measure(terminal);
    await terminal.terminate();
    return ms;
  };
  return {
    ...description,
    sdk: async (pair) => on(await terminalOfSdk(pair, argv)),
    byHand: async (pair) => on(await terminalByHand(pair, argv)),
  };
}

const readsFile = (name: string, path: string, turns: number): Operation => ({
  name,
  turns,
  sdk: ({ sdk }) => timed(() => sdk.fs.readFile(path)),
  byHand: ({ byHand }) =>
    timed(async () => {
      const file = (await byHand.call("fs/readFile", { path: `file://${path}` })) as { dataBase64: string };
      return Buffer.from(file.dataBase64, "base64");
    }),
});

/** @param files Paths of files of the sizes in their names. */
export function operations(
  files: Readonly<Record<"small" | "1 MiB" | "16 MiB", string>>,
): readonly Operation[] {
  return [
    {
      name: 'run(["true"])',
      turns: 9,
      sdk: ({ sdk }) => timed(() => sdk.run(["true"])),
      byHand: ({ byHand }) => timed(async () => (await startByHand(byHand, ["true"], () => {})).closed),
    },
    inTerminal({ name: "a key, until its echo", turns: 9 }, ["cat"], (terminal) =>
      timed(() => {
        terminal.write("k");
        return terminal.shows("k");
      }),
    ),
    inTerminal(
      { name: "a key held for 2 s: lag of the last echo", turns: 5, turnsByHand: 1, goal: 3 },
      ["cat"],
      async (terminal) => {
        for (let key = 1; key < KEYS; key++) {
          terminal.write("k");
          await sleep(KEY_MS);
        }
        return await timed(() => {
          terminal.write("k");
          return terminal.shows("k".repeat(KEYS));
        });
      },
    ),
    inTerminal(
      { name: "60 sizes in 1 s: lag of the last one", turns: 5, turnsByHand: 1, goal: 3 },
      SHOWS_SIZE,
      async (terminal) => {
        for (let more = 1; more < SIZES; more++) {
          terminal.resize(20 + more, 100 + more);
          await sleep(SIZE_MS);
        }
        return await timed(() => {
          terminal.resize(20 + SIZES, 100 + SIZES);
          return terminal.shows(`${20 + SIZES} ${100 + SIZES}`);
        });
      },
    ),
    readsFile("readFile, 6 bytes", files.small, 9),
    readsFile("readFile, 1 MiB", files["1 MiB"], 5),
    readsFile("readFile, 16 MiB", files["16 MiB"], 5),
    {
      name: "fetch, small",
      turns: 9,
      sdk: ({ sdk, origin }) => timed(async () => (await sdk.fetch(origin)).text()),
      byHand: ({ byHand, origin }) => timed(() => fetchByHand(byHand, origin)),
    },
    {
      name: "the first call after a loss",
      turns: 5,
      sdk: async ({ sdk, server }) => {
        const { disconnected } = await sdk.get();
        await server.restart();
        await disconnected;
        return await timed(() => sdk.status());
      },
      byHand: async (pair) => {
        await pair.server.restart();
        return await timed(async () => {
          pair.byHand = await HandWrittenClient.connect(pair.url);
          await pair.byHand.call("environment/status", null);
        });
      },
    },
  ];
}

async function fetchByHand(client: HandWrittenClient, url: string): Promise<void> {
  const requestId = newId();
  const whole = new Promise<void>((onDone) => {
    client.listeners.set(requestId, (_, { done }) => {
      if (done) onDone();
    });
  });
  await client.call("http/request", { method: "GET", url, headers: [], requestId, streamResponse: true });
  await whole;
  client.listeners.delete(requestId);
}
