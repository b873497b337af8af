import { asyncDispose } from "../internal/dispose.ts";
import type { ResultOf } from "../protocol/methods.ts";
import type { Transport } from "../transport/transport.ts";
import { openWebSocket } from "../transport/websocket/connection.ts";
import type { WebSocketConstructor } from "../transport/websocket/websocket.ts";
import type { ChannelReceiver, DialRefusal, ServerChannel, TestDial, TestServerDoor } from "./channel.ts";
import { type CommandMatch, type CommandOutcome, type CommandScript, Commands } from "./commands.ts";
import { Dials } from "./dials.ts";
import { fileMethods } from "./file-methods.ts";
import { TestFiles } from "./files.ts";
import { Handlers, type TestHandler } from "./handlers.ts";
import { type FetchHandler, Origins } from "./http.ts";
import { MemorySocket } from "./memory-socket.ts";
import { isRequest, type TestMethod, type TestRequest } from "./messages.ts";
import { Arrivals } from "./recorder.ts";
import { TestConnection } from "./test-connection.ts";
import type { TestProcess } from "./test-process.ts";

/** What a test server is like from the start. */
export interface TestServerOptions {
  /** False makes {@link TestServer.transport} one-shot, as `stdio()` is. @default true */
  readonly reconnectable?: boolean | undefined;
  /** Laid over what the server tells of its machine, which is a Linux that works in `/work`. Paths are `file:` URIs. */
  readonly environmentInfo?: ResultOf<"environment/info"> | undefined;
  /** The files that are there at first, by absolute path. @default none */
  readonly files?: Readonly<Record<string, string | Uint8Array>> | undefined;
  /** What becomes of requests that nothing handles: an error that says how to handle them, or silence. @default "refuse" */
  readonly unhandled?: "refuse" | "ignore" | undefined;
}

const ENVIRONMENT = {
  cwd: "file:///work",
  platformOs: "linux",
  userHomeDir: "file:///home/test",
  tempDir: "file:///tmp",
  shell: { name: "bash", path: "/bin/bash" },
  capabilities: { fileWriteStreaming: true },
};

/**
 * An exec-server that does what a test tells it. It shakes hands by itself, serves {@link files} in memory and tells
 * of its machine; commands, HTTP origins and further methods are for the test to say, and every answer to override.
 *
 * In memory it needs no network and no timers, so it works in browsers, jsdom and with fake timers. In Node,
 * `exec-server-sdk/testing/node` serves it over a real WebSocket or stdio.
 *
 * What lasts (a handler, a hold, a refusal of dials) is lifted by calling what its method returns.
 */
export class TestServer implements TestServerDoor, AsyncDisposable {
  /** Leads here in memory, as a WebSocket would. */
  readonly transport: Transport;
  /**
   * For the option of that name of `webSocket()`: the dial leads here, whatever the URL, and the rest of the app's own
   * way to its server (a token in the URL or a subprotocol) shows as {@link TestConnection.dial}.
   */
  readonly WebSocket: WebSocketConstructor;
  /** What the server's machine holds. */
  readonly files: TestFiles;
  readonly #handlers: Handlers;
  readonly #commands = new Commands();
  readonly #origins = new Origins();
  readonly #dials = new Dials();
  readonly #connections = new Arrivals<TestConnection>();

  constructor(options: TestServerOptions = {}) {
    const environmentInfo = { ...ENVIRONMENT, ...options.environmentInfo };
    this.files = new TestFiles(options.files ?? {});
    const { cwd, userHomeDir, tempDir } = environmentInfo;
    for (const directory of [cwd, userHomeDir, tempDir]) if (directory) this.files.mkdir(directory);
    this.#handlers = new Handlers(options.unhandled !== "ignore");
    this.handle("initialize", (_, { sessionId }) => ({ sessionId, environmentInfo }));
    this.handle("environment/info", () => environmentInfo);
    this.handle("environment/status", () => ({ status: "ready" }));
    this.handle("process/start", this.#commands.start);
    this.handle("process/write", this.#commands.write);
    this.handle("process/signal", this.#commands.signal);
    this.handle("process/terminate", this.#commands.terminate);
    this.handle("http/request", this.#origins.request);
    for (const [method, handler] of Object.entries(fileMethods(this.files))) {
      this.handle(method, handler as TestHandler);
    }
    const door = this;
    this.WebSocket = class extends MemorySocket {
      constructor(url: string, protocols: string[] = [], options?: { headers?: Record<string, string> }) {
        super(door, { url, protocols, headers: lowerCased(options?.headers ?? {}) });
      }
    };
    this.transport = {
      reconnectable: options.reconnectable ?? true,
      async connect({ signal }) {
        signal.throwIfAborted();
        return await openWebSocket(new MemorySocket(door, {}), "the test server", signal);
      },
    };
  }

  /** How many dials there have been, the refused and abandoned ones too. */
  get dials(): number {
    return this.#dials.count;
  }

  /** Every connection there has been, in order. */
  get connections(): readonly TestConnection[] {
    return this.#connections.all;
  }

  /** Resolves with the n-th connection, past or to come. */
  connection(n = 1): Promise<TestConnection> {
    return this.#connections.find(n);
  }

  /** Resolves with the n-th process that was started, past or to come. */
  process(n = 1): Promise<TestProcess> {
    return this.#commands.processes.find(n);
  }

  /** Every request of this method there has been, on all connections: to see what an app has asked for, and how often. */
  requests<M extends TestMethod>(method: M): TestRequest<M>[] {
    const all = this.connections.flatMap(({ received }) => received);
    return all.filter(isRequest).filter((request) => request.method === method) as TestRequest<M>[];
  }

  /** Answers the requests of a method from now on, also those the server would answer by itself. */
  handle<M extends TestMethod>(method: M, handler: TestHandler<M>): () => void {
    return this.#handlers.add(method, handler as unknown as TestHandler);
  }

  /**
   * Lets the requests of a method wait, to be answered late, or by the test with {@link TestConnection.answer} or
   * {@link TestConnection.refuse}. Returns what sends those that are still open to their handler, in order.
   */
  hold(method: TestMethod): () => void {
    return this.#handlers.hold(method);
  }

  /**
   * What a command does, whether it is run or started. Without an outcome it just goes on until the test ends it, see
   * {@link process}, or the app does.
   *
   * @param match The program with exactly these arguments, or a function of them. The latest that matches counts.
   */
  onCommand(match: CommandMatch, outcome: CommandOutcome | CommandScript = () => {}): () => void {
    return this.#commands.add(match, outcome);
  }

  /** Plays the origins that the app reaches with `client.fetch`. The latest handler is asked first. */
  onFetch(handler: FetchHandler): () => void {
    return this.#origins.add(handler);
  }

  /** Refuses the next dial; called twice, the next two. By default as if nobody listened. */
  refuseNextDial(refusal: DialRefusal = {}): void {
    this.#dials.refuseNext(refusal);
  }

  /** Refuses all dials, as a server that is down. Returns what brings it up again. */
  refuseDials(refusal: DialRefusal = {}): () => void {
    return this.#dials.refuse(refusal);
  }

  /** Lets dials wait: the client goes on connecting. Returns what lets them go on. */
  holdDials(): () => void {
    return this.#dials.hold();
  }

  /** For channels other than those built in. */
  admit(): Promise<DialRefusal | undefined> {
    return this.#dials.admit();
  }

  /** For channels other than those built in. */
  accept(channel: ServerChannel, dial: TestDial = {}): ChannelReceiver {
    const sessionId = `session-${this.connections.length + 1}`;
    const connection = new TestConnection(channel, sessionId, dial, (request) =>
      this.#handlers.handle(request, connection),
    );
    this.#connections.add(connection);
    return connection.receiver;
  }

  /** Resets every connection and refuses further dials. */
  close(): void {
    this.refuseDials();
    for (const connection of this.connections) connection.reset();
    const error = new Error("The test server was closed");
    this.#connections.end(error);
    this.#commands.processes.end(error);
  }

  /** Closes it, at the end of an `await using` block. */
  async [asyncDispose](): Promise<void> {
    this.close();
  }
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
