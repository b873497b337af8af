import { createServer } from "node:net";
import { bindMembers } from "../../internal/bound.ts";
import { asyncDispose } from "../../internal/dispose.ts";
import { settledWithin } from "../../internal/timer.ts";
import type { TestServerDoor } from "../channel.ts";
import { Recorder } from "../recorder.ts";
import { checkAcceptor } from "../rules.ts";
import { Loopback } from "./loopback.ts";
import { RELAY } from "./relay.ts";
import { StdioChannel, type TestChild } from "./stdio-channel.ts";

/** A command that connects to a test server. Pass it to `stdio()` as it is. */
export interface StdioTestServer extends AsyncDisposable {
  /** The program: the executable of this Node or Electron. */
  readonly command: string;
  /** Its arguments: a small program that forwards to this process. */
  readonly args: readonly string[];
  /** The environment variables it needs. */
  readonly env: Readonly<Record<string, string>>;
  /** Resolves with the n-th started child, past or still to come. Rejects if the server is closed before. */
  child(n?: number): Promise<TestChild>;
  /** Kills every child. Resolves when their connections have closed, after at most one second. */
  close(): Promise<void>;
}

/** How long close() waits for the children to exit after SIGKILL. */
const KILL_GRACE_MS = 1_000;

/**
 * Serves a test server over the standard input and output of real child processes, which forward to this process.
 *
 * @throws UsageError `ERR_INVALID_ARGUMENT` for a value that is no test server.
 * @example
 * import { LazyExecServerClient } from "exec-server-sdk";
 * import { stdio } from "exec-server-sdk/node";
 * import { TestServer } from "exec-server-sdk/testing";
 * import { serveStdio } from "exec-server-sdk/testing/node";
 *
 * await using served = await serveStdio(new TestServer());
 * await using app = new LazyExecServerClient({ transport: stdio(served) });
 * await app.status();
 */
export async function serveStdio(acceptor: TestServerDoor): Promise<StdioTestServer> {
  checkAcceptor("serveStdio()", acceptor);
  const children = new Recorder<StdioChannel>();
  const relays = createServer({ noDelay: true }, async (control) => {
    const channel = new StdioChannel(control);
    children.record(channel);
    // A custom acceptor may fail.
    const refusal = await acceptor.admit().catch(() => ({ reason: "the test's server failed" }));
    if (!refusal) return channel.start(acceptor.accept(channel));
    // Unread input would keep the control connection from closing.
    control.resume();
    if (refusal.reason !== undefined) channel.stderr(`${refusal.reason}\n`);
    channel.exit(1);
  });
  const loopback = await Loopback.listen(relays);
  return new ServedStdio(children, loopback);
}

/** Its own enumerable members are options of `stdio()`, and nothing else. */
class ServedStdio implements StdioTestServer {
  readonly command = process.execPath;
  readonly args: readonly string[];
  // Makes Electron run as Node, and keeps this process's own NODE_OPTIONS from the child.
  readonly env = { ELECTRON_RUN_AS_NODE: "1", NODE_OPTIONS: "" };
  readonly #children: Recorder<StdioChannel>;
  readonly #loopback: Loopback;

  constructor(children: Recorder<StdioChannel>, loopback: Loopback) {
    bindMembers(this, ServedStdio);
    this.args = ["-e", RELAY, String(loopback.port)];
    this.#children = children;
    this.#loopback = loopback;
  }

  child(n = 1): Promise<TestChild> {
    return this.#children.find(n);
  }

  async close(): Promise<void> {
    for (const child of this.#children.all) child.kill();
    this.#children.end(new Error("The test server was closed"));
    await settledWithin(Promise.all(this.#children.all.map(({ gone }) => gone)), KILL_GRACE_MS);
    await this.#loopback.close();
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }
}
