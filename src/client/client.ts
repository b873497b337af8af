import type { ClosedError, DisconnectedError } from "../errors/connection.ts";
import { checkArgument } from "../internal/option-rules.ts";
import { featureRule, type ServerFeature } from "../protocol/features.ts";
import type { ConnectionFailure } from "../rpc/errors.ts";
import { connect } from "./connect.ts";
import type { ExecEnvironment } from "./environment.ts";
import { EnvironmentClient } from "./environment-client.ts";
import { type ConnectOptions, resolveConnectOptions } from "./options.ts";
import type { Session } from "./session.ts";

/**
 * One connection and one session. When the connection ends, everything pending on it rejects once with the same
 * failure, and new calls reject without being sent. It never reconnects: {@link LazyExecServerClient} makes a new one.
 *
 * @example
 * import { ExecServerClient, webSocket } from "exec-server-sdk";
 *
 * const session = await ExecServerClient.connect({ transport: webSocket("ws://127.0.0.1:8080") });
 * void session.disconnected.then((error) => console.log(error.code));
 * const { stdout } = await session.run(["uname", "-a"]);
 * await session.close();
 */
export class ExecServerClient extends EnvironmentClient implements ExecEnvironment {
  /** The server's id of this session. Every connection has a new one. */
  readonly sessionId: string;
  readonly #session: Session;

  private constructor(session: Session) {
    super();
    this.#session = session;
    this.sessionId = session.id;
  }

  /**
   * Connects at once and makes a new session.
   *
   * @throws ConnectError, TimeoutError (`ERR_CONNECT_TIMEOUT`, `ERR_INITIALIZE_TIMEOUT`), ServerError when the server
   * refuses the handshake, ProtocolError when the peer is not an exec-server, UsageError for invalid options or an
   * invalid address, or the signal's reason.
   * @example
   * import { ExecServerClient, webSocket } from "exec-server-sdk";
   *
   * const transport = webSocket("ws://127.0.0.1:8080");
   * const session = await ExecServerClient.connect({ transport, signal: AbortSignal.timeout(5_000) });
   * await session.close();
   */
  static async connect(options: ConnectOptions): Promise<ExecServerClient> {
    return ExecServerClient.of(await connect(resolveConnectOptions(options), options.signal));
  }

  /** @internal */
  static of(session: Session): ExecServerClient {
    return new ExecServerClient(session);
  }

  /** The version of the server. Undefined for servers before 0.155, which do not report it. */
  get serverVersion(): string | undefined {
    return this.#session.server.version;
  }

  /**
   * Whether the server has a feature. A call that needs one it does not have rejects with `ERR_UNSUPPORTED`, unsent.
   * False for what is not known of a server before 0.150, which {@link LazyExecServerClient.supports} asks first.
   *
   * @throws UsageError `ERR_INVALID_ARGUMENT` for an unknown feature.
   * @example
   * const session = await client.get();
   * if (session.supports("watch")) await session.fs.whenAppears(["/work/package.json"]);
   */
  supports(feature: ServerFeature): boolean {
    checkArgument("supports(): feature", feature, featureRule);
    return this.#session.server.has(feature);
  }

  /** True as soon as nothing can be sent any more. It never becomes false again. */
  get isDisconnected(): boolean {
    return this.#session.rpc.isDisconnected;
  }

  /**
   * Resolves when the connection has ended, with the error that everything pending got. Never rejects.
   *
   * @example
   * const session = await client.get();
   * void session.disconnected.then((error) => {
   *   if (error.code === "ERR_DISCONNECTED") console.warn(error.reason, error.closeCode);
   * });
   */
  get disconnected(): Promise<DisconnectedError | ClosedError> {
    return this.#session.rpc.ended;
  }

  /** @internal */
  override openSession(): Session {
    return this.#session;
  }

  /** @internal */
  override onFinal(listener: (failure: ConnectionFailure) => void): () => void {
    return this.#session.rpc.onEnd(listener);
  }

  /**
   * Closes the connection: everything pending on it rejects with a ClosedError. Settles within two seconds even if the
   * server does not answer. Processes are not terminated here: the server does that 80 s after a WebSocket session has
   * lost its connection (30 s before version 0.168).
   *
   * @example
   * const session = await client.get();
   * await session.close();
   * console.log(session.isDisconnected); // true
   */
  override close(): Promise<void> {
    return this.#session.close();
  }
}
