import type { EnvironmentInfo } from "../client/environment.ts";
import { bindMembers } from "../internal/bound.ts";
import { asyncDispose } from "../internal/dispose.ts";
import {
  aBoolean,
  aFunction,
  anObject,
  checkArgument,
  checkOptions,
  oneOf,
  type Rules,
} from "../internal/option-rules.ts";
import type { MethodName } from "../protocol/methods.ts";
import type { Transport } from "../transport/transport.ts";
import { openWebSocket } from "../transport/websocket/dial.ts";
import type { WebSocketConstructor } from "../transport/websocket/websocket.ts";
import type { ChannelReceiver, DialRefusal, ServerChannel, TestDial, TestServerDoor } from "./channel.ts";
import { type CommandMatch, type CommandOutcome, type CommandScript, Commands } from "./commands.ts";
import { Dials } from "./dials.ts";
import { fileMethods } from "./file-methods.ts";
import { TestFiles } from "./files.ts";
import { Handlers, type TestHandler } from "./handlers.ts";
import { MemorySocket } from "./memory-socket.ts";
import { type FetchHandler, Origins } from "./origins.ts";
import { type ConnectHandler, Ports } from "./ports.ts";
import { DEFAULT_VERSION, Profile, versionRule } from "./profile.ts";
import { Recorder } from "./recorder.ts";
import { filesRule, REFUSAL_RULES } from "./rules.ts";
import { TestConnection } from "./test-connection.ts";
import { isRequest, type TestMethod, type TestRequest } from "./test-messages.ts";
import type { TestProcess } from "./test-process.ts";

/** Options of a {@link TestServer}. */
export interface TestServerOptions {
  /** Whether {@link TestServer.transport} can connect again. False makes it one-shot, as `stdio()` is. @default true */
  readonly reconnectable?: boolean | undefined;
  /**
   * The version of the server that it imitates: its methods, capabilities and environment info, by the table of features
   * that `client.supports()` reads. @default the newest that the SDK was tested with
   */
  readonly version?: string | undefined;
  /** Merged over the default environment info, that of a Linux machine with the working directory `/work`. Paths are `file:` URIs. */
  readonly environmentInfo?: EnvironmentInfo | undefined;
  /** The initial files, by absolute path. @default none */
  readonly files?: Readonly<Record<string, string | Uint8Array>> | undefined;
  /** Whether a request without a handler is rejected with an error that shows how to handle it, or gets no response. @default "refuse" */
  readonly unhandled?: "refuse" | "ignore" | undefined;
}

const RULES: Rules<TestServerOptions> = {
  reconnectable: aBoolean,
  version: versionRule,
  environmentInfo: anObject,
  files: filesRule,
  unhandled: oneOf("refuse", "ignore"),
};

const ENVIRONMENT = {
  cwd: "file:///work",
  platformOs: "linux",
  userHomeDir: "file:///home/test",
  tempDir: "file:///tmp",
  shell: { name: "bash", path: "/bin/bash" },
};

/**
 * A scripted exec-server. It answers the handshake, the methods of `environment/` and, from {@link files} in memory,
 * those of `fs/`. The test adds commands, HTTP origins and further methods, and can override every response.
 *
 * In memory it needs no network and no timers, so it works in browsers, in jsdom and with fake timers. In Node,
 * `exec-server-sdk/testing/node` serves it over a real WebSocket or stdio.
 *
 * The method that adds a handler, a hold or a refusal of dials returns the function that removes it.
 *
 * @example
 * import { LazyExecServerClient } from "exec-server-sdk";
 * import { TestServer } from "exec-server-sdk/testing";
 *
 * await using server = new TestServer({ files: { "/work/readme.md": "# hello" } });
 * server.onCommand(["git", "status"], { stdout: "clean\n" });
 * server.onFetch((request) => new Response(`from ${request.url}`));
 *
 * const app = new LazyExecServerClient({ transport: server.transport });
 * console.log((await app.run(["git", "status"])).stdout); // clean
 */
export class TestServer implements TestServerDoor, AsyncDisposable {
  /** Connects to this server in memory, with the behaviour of a WebSocket. */
  readonly transport: Transport;
  /**
   * For the `WebSocket` option of `webSocket()`: every dial connects to this server, with any URL. The app's URL,
   * subprotocols and headers are available as {@link TestConnection.dial}.
   */
  readonly WebSocket: WebSocketConstructor;
  /** The files of the server's machine. */
  readonly files: TestFiles;
  readonly #handlers: Handlers;
  readonly #commands: Commands;
  readonly #origins: Origins;
  readonly #ports = new Ports();
  readonly #dials = new Dials();
  readonly #connections = new Recorder<TestConnection>();

  /** @throws UsageError `ERR_INVALID_ARGUMENT` for an invalid option. */
  constructor(options: TestServerOptions = {}) {
    checkOptions("TestServer()", options, RULES);
    bindMembers(this, TestServer);
    const profile = new Profile(options.version ?? DEFAULT_VERSION);
    const environmentInfo = { ...profile.environment(ENVIRONMENT), ...options.environmentInfo };
    this.files = new TestFiles(options.files ?? {});
    this.#commands = new Commands(this.files, this.#ports);
    const { cwd, userHomeDir, tempDir } = { ...ENVIRONMENT, ...environmentInfo };
    for (const directory of [cwd, userHomeDir, tempDir]) if (directory) this.files.mkdir(directory);
    this.#handlers = new Handlers(options.unhandled !== "ignore");
    this.#origins = new Origins(profile.decodesGzip);
    this.handle("initialize", (_, { sessionId }) =>
      profile.reportsEnvironment ? { sessionId, environmentInfo } : { sessionId },
    );
    const builtIn: { [M in MethodName]?: TestHandler<M> } = {
      "environment/info": () => environmentInfo,
      "environment/status": () => ({ status: "ready" }),
      "process/start": this.#commands.start,
      "process/write": this.#commands.write,
      "process/signal": this.#commands.signal,
      "process/terminate": this.#commands.terminate,
      "http/request": this.#origins.request,
      ...fileMethods(this.files),
    };
    for (const [method, handler] of Object.entries(builtIn)) {
      this.handle(
        method,
        profile.handler(method as MethodName, handler as TestHandler<MethodName>) as TestHandler,
      );
    }
    const acceptor = this;
    this.WebSocket = class extends MemorySocket {
      constructor(url: string, protocols: string[] = [], options?: { headers?: Record<string, string> }) {
        super(acceptor, { url, protocols, headers: lowerCased(options?.headers ?? {}) });
      }
    };
    this.transport = {
      reconnectable: options.reconnectable ?? true,
      async connect({ signal }) {
        signal.throwIfAborted();
        return await openWebSocket(new MemorySocket(acceptor, {}), "the test server", signal);
      },
    };
  }

  /** The number of dials so far, including refused and abandoned ones. */
  get dials(): number {
    return this.#dials.count;
  }

  /** Every connection so far, in order, including those that have ended. */
  get connections(): readonly TestConnection[] {
    return this.#connections.all;
  }

  /**
   * Resolves with the n-th connection, past or still to come. Rejects if the server is closed before.
   *
   * @example
   * await app.get();
   * const connection = await server.connection(1);
   * connection.drop(); // as a server that is killed
   * await connection.ended;
   * await app.get(); // connects anew
   * console.log((await server.connection(2)).sessionId); // session-2
   */
  connection(n = 1): Promise<TestConnection> {
    return this.#connections.find(n);
  }

  /**
   * Resolves with the n-th started process, past or still to come. Rejects if the server is closed before.
   *
   * @example
   * server.onCommand(["tail", "-f", "log"]); // runs until the test ends it
   * const tail = await app.start(["tail", "-f", "log"]);
   * const process = await server.process(1);
   * process.stdout("a line\n");
   * process.exit(0);
   * console.log(await new Response(tail.stdout).text());
   */
  process(n = 1): Promise<TestProcess> {
    return this.#commands.processes.find(n);
  }

  /**
   * Every request of this method so far, on all connections.
   *
   * @example
   * await app.fs.writeFile("/work/a.txt", "text");
   * console.log(server.requests("fs/writeFile").map(({ params }) => params.path)); // file:///work/a.txt
   */
  requests<M extends TestMethod>(method: M): TestRequest<M>[] {
    const all = this.connections.flatMap(({ received }) => received);
    return all.filter(isRequest).filter((request) => request.method === method) as TestRequest<M>[];
  }

  /**
   * Handles the requests of a method from now on, in place of the built-in handler and of earlier ones.
   *
   * @example
   * const remove = server.handle("environment/status", () => ({ status: "starting" }));
   * console.log((await app.status()).status); // starting
   * remove();
   */
  handle<M extends TestMethod>(method: M, handler: TestHandler<M>): () => void {
    checkArgument("handle(): handler", handler, aFunction);
    return this.#handlers.add(method, handler as unknown as TestHandler);
  }

  /**
   * Keeps the requests of a method pending. The test can answer them with {@link TestConnection.answer} or
   * {@link TestConnection.refuse}. Returns the function that passes those without a response to their handler, in order.
   *
   * @example
   * const release = server.hold("environment/status");
   * const pending = app.status();
   * release();
   * await pending;
   */
  hold(method: TestMethod): () => void {
    return this.#handlers.hold(method);
  }

  /**
   * Defines a command for `run()` and `start()`. Without an outcome, the process runs until the app terminates it or the
   * test ends it, see {@link process}.
   *
   * @param match The program with exactly these arguments, or a function of them. The latest match takes precedence.
   *
   * @example
   * server.onCommand(["false"], { exitCode: 1 });
   * server.onCommand(
   *   (argv) => argv[0] === "cat",
   *   async (process) => {
   *     for await (const text of process.stdin) process.stdout(text.toUpperCase());
   *     process.exit();
   *   },
   * );
   * console.log((await app.run(["cat"], { input: "text" })).stdout); // TEXT
   */
  onCommand(match: CommandMatch, outcome: CommandOutcome | CommandScript = () => {}): () => void {
    return this.#commands.add(match, outcome);
  }

  /**
   * Handles the requests that the app sends with `client.fetch`. The latest handler is called first.
   *
   * @example
   * server.onFetch(({ url }) => (url.endsWith("/health") ? Response.json({ ok: true }) : undefined));
   * console.log(await (await app.fetch("http://localhost:3000/health")).json());
   */
  onFetch(handler: FetchHandler): () => void {
    checkArgument("onFetch(): handler", handler, aFunction);
    return this.#origins.add(handler);
  }

  /**
   * Listens on a port for the app's `connectTcp`, with any host. The latest handler of a port is called. Others are refused.
   *
   * @example
   * server.onConnect(7, ({ readable, writable }) => readable.pipeTo(writable)); // an echo
   * const socket = await app.connectTcp({ port: 7 });
   * await socket.close();
   */
  onConnect(port: number, handler: ConnectHandler): () => void {
    return this.#ports.add(port, handler);
  }

  /**
   * Refuses the next dial; called twice, the next two.
   *
   * @param refusal By default, the connection is refused.
   *
   * @example
   * server.refuseNextDial({ status: 401 });
   * await app.get().catch((error) => console.log(error.code, error.status)); // ERR_CONNECT 401
   * await app.get(); // connects
   */
  refuseNextDial(refusal: DialRefusal = {}): void {
    checkOptions("refuseNextDial()", refusal, REFUSAL_RULES);
    this.#dials.refuseNext(refusal);
  }

  /**
   * Refuses all dials, as a server that is down. Returns the function that accepts dials again.
   *
   * @example
   * const accept = server.refuseDials();
   * await app.get().catch((error) => console.log(error.code)); // ERR_CONNECT
   * accept();
   * await app.get();
   */
  refuseDials(refusal: DialRefusal = {}): () => void {
    checkOptions("refuseDials()", refusal, REFUSAL_RULES);
    return this.#dials.refuse(refusal);
  }

  /**
   * Keeps dials pending: the client stays connecting. Returns the function that continues them.
   *
   * @example
   * const proceed = server.holdDials();
   * const connecting = app.get();
   * console.log(app.state); // connecting
   * proceed();
   * await connecting;
   */
  holdDials(): () => void {
    return this.#dials.hold();
  }

  /** Called by custom channels for each dial, see {@link TestServerDoor.admit}. */
  admit(): Promise<DialRefusal | undefined> {
    return this.#dials.admit();
  }

  /** Called by custom channels that are open, see {@link TestServerDoor.accept}. */
  accept(channel: ServerChannel, dial: TestDial = {}): ChannelReceiver {
    const sessionId = `session-${this.connections.length + 1}`;
    const connection = new TestConnection(channel, sessionId, dial, (request) =>
      this.#handlers.handle(request, connection),
    );
    this.#connections.record(connection);
    return connection.receiver;
  }

  /**
   * Resets every connection, rejects pending waits and refuses further dials, and those that are held.
   *
   * @example
   * await app.get();
   * server.close();
   * await app.status().catch((error) => console.log(error.code));
   */
  close(): void {
    this.#dials.end();
    for (const connection of this.connections) connection.reset();
    const error = new Error("The test server was closed");
    this.#connections.end(error);
    this.#commands.processes.end(error);
  }

  /** Closes the server at the end of an `await using` block. */
  async [asyncDispose](): Promise<void> {
    this.close();
  }
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
