import { createServer } from "node:net";
import { asyncDispose } from "../../internal/dispose.ts";
import { settledWithin } from "../../internal/timer.ts";
import type { TestServerDoor } from "../channel.ts";
import { Arrivals } from "../recorder.ts";
import { Loopback } from "./loopback.ts";
import { RELAY } from "./relay.ts";
import { StdioChannel, type TestChild } from "./stdio-channel.ts";

/** A command that leads to a test server; to be given to `stdio()` as it is. */
export interface StdioTestServer extends AsyncDisposable {
  /** The program: the Node, or Electron, that this runs in. */
  readonly command: string;
  /** Its arguments: a small program that passes everything on. */
  readonly args: readonly string[];
  /** What it needs of its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Resolves with the n-th child that was started, past or to come. */
  child(n?: number): Promise<TestChild>;
  /** Kills every child; resolves when they are gone. */
  close(): Promise<void>;
}

/** How long a child may take to die of SIGKILL. */
const KILL_GRACE_MS = 1_000;

/** Serves a test server over the standard input and output of real child processes, each of which passes on to this one. */
export async function serveStdio(server: TestServerDoor): Promise<StdioTestServer> {
  const children = new Arrivals<StdioChannel>();
  const relays = createServer({ noDelay: true }, async (control) => {
    const channel = new StdioChannel(control);
    children.add(channel);
    const refusal = await server.admit();
    if (!refusal) return channel.start(server.accept(channel));
    // What the client has sent is in the way of the end.
    control.resume();
    if (refusal.reason !== undefined) channel.stderr(`${refusal.reason}\n`);
    channel.exit(1);
  });
  const loopback = await Loopback.listen(relays);
  const close = async (): Promise<void> => {
    for (const child of children.all) child.kill();
    children.end(new Error("The test server was closed"));
    await settledWithin(Promise.all(children.all.map(({ gone }) => gone)), KILL_GRACE_MS);
    await loopback.close();
  };
  return {
    command: process.execPath,
    args: ["-e", RELAY, String(loopback.port)],
    // For Electron; and what this process was started with is nothing for a relay.
    env: { ELECTRON_RUN_AS_NODE: "1", NODE_OPTIONS: "" },
    child: (n = 1) => children.find(n),
    close,
    [asyncDispose]: close,
  };
}
