import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { deadline, onAbort, untilAborted } from "../internal/abort.ts";
import { GATEWAY_NAME } from "../internal/gateway-name.ts";
import { type Admission, type HttpRefusal, offeredProtocols } from "./admission.ts";
import { authorize } from "./authorization.ts";
import { BackOff } from "./back-off.ts";
import { CLOSE_CODES, type CloseCode } from "./close-codes.ts";
import type { RefusalReason } from "./events.ts";
import { Handshakes } from "./handshakes.ts";
import type { Identity } from "./identity.ts";
import { GATEWAY_PROTOCOL, type ResolvedGatewayOptions } from "./options.ts";
import { TokenList } from "./tokens.ts";
import { Visit } from "./visit.ts";

/** Milliseconds a page may take to answer a close frame. It has to read everything sent before it first. */
export const CLOSE_HANDSHAKE_MS = 10_000;
/** The same for a refused page, which has nothing to read before it. */
const REFUSED_MS = 1_000;
/** Bytes read from a refused page while waiting for its close frame. */
const MAX_REFUSED_BYTES = 64 * 1024;

/** A page whose upgrade is complete. */
export interface OpenPage {
  readonly webSocket: WebSocket;
  /** The TCP or TLS socket below the WebSocket. */
  readonly socket: Duplex;
  readonly visit: Visit;
}

/** An upgrade request, as Node passes it. */
export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** A refusal that an allowed page sees as a close code. */
interface Refusal {
  readonly closeCode: CloseCode;
  readonly reason: RefusalReason;
  readonly error?: unknown;
}

const CLOSING: HttpRefusal = { status: 503, reason: "closing" };

/** Turns upgrade requests into open WebSockets, or refuses them. */
export class Upgrades {
  readonly #options: ResolvedGatewayOptions;
  readonly #pages: WebSocketServer;
  readonly #refused: WebSocketServer;
  readonly #handshakes: Handshakes;
  readonly #backOff = new BackOff();
  readonly #closing = new AbortController();
  readonly #makeRoom: (identity: Identity) => boolean;

  /** @param makeRoom Returns whether one more page can be admitted, after ending those that make room for it. */
  constructor(options: ResolvedGatewayOptions, makeRoom: (identity: Identity) => boolean) {
    this.#options = options;
    this.#makeRoom = makeRoom;
    this.#handshakes = new Handshakes(options.maxHandshakes);
    this.#pages = webSocketServer(options.maxMessageBytes, CLOSE_HANDSHAKE_MS);
    this.#refused = webSocketServer(MAX_REFUSED_BYTES, REFUSED_MS);
  }

  /** Refuses every request with 503 from now on, pending ones included. */
  close(): void {
    this.#closing.abort();
  }

  async handle(
    admission: Admission,
    upgrade: UpgradeRequest,
    onPage: (page: OpenPage) => void,
  ): Promise<void> {
    const { request, socket } = upgrade;
    // The socket has no other error listener until it is upgraded.
    socket.on("error", ignore);
    const visit = new Visit(request, socket, this.#options);
    const httpRefusal = admission.check(request);
    if (httpRefusal) return refuse(socket, httpRefusal, visit);
    const { signal } = this.#closing;
    const decision = signal.aborted ? CLOSING : await this.#decide(request);
    // Checked in the same turn as the upgrade: the gateway may close while a check is pending.
    if (signal.aborted) return refuse(socket, CLOSING, visit);
    if ("status" in decision) return refuse(socket, decision, visit);
    if ("closeCode" in decision) return await this.#refuse(upgrade, decision, visit);
    visit.identity = decision;
    // The handshake would fail, after other pages were ended to make room.
    if (!socket.readable || !socket.writable) {
      visit.emit("refused", { reason: "page" });
      socket.destroy();
      return;
    }
    if (!this.#makeRoom(decision)) {
      return await this.#refuse(upgrade, { closeCode: CLOSE_CODES.full, reason: "full" }, visit);
    }
    complete(this.#pages, upgrade, visit, (webSocket) => onPage({ webSocket, socket, visit }));
  }

  async #decide(request: IncomingMessage): Promise<Identity | Refusal | HttpRefusal> {
    const { authorize: by, handshakeTimeoutMs: ms } = this.#options;
    const isFunction = !(by instanceof TokenList);
    // Tokens are checked in this turn: nothing is under way.
    if (isFunction && !this.#handshakes.beginCheck()) return { status: 503, reason: "handshakes" };
    const { signal, clear } = deadline({
      ms,
      signal: this.#closing.signal,
      timeoutError: () => new Error(`authorize must settle within ${ms} ms (handshakeTimeoutMs)`),
    });
    try {
      const checking = Promise.resolve(authorize(by, request, offeredProtocols(request)));
      const identity = await untilAborted(checking, signal);
      if (!identity) return { closeCode: CLOSE_CODES.unauthorized, reason: "unauthorized" };
      const hasExpired = identity.expiresAt !== undefined && identity.expiresAt <= Date.now();
      return hasExpired ? { closeCode: CLOSE_CODES.expired, reason: "expired" } : identity;
    } catch (error) {
      return { closeCode: CLOSE_CODES.checkFailed, reason: "check-failed", error };
    } finally {
      clear();
      if (isFunction) this.#handshakes.endCheck();
    }
  }

  /** Completes the handshake only to close with a code: a page does not see the status of a refused one. */
  async #refuse(upgrade: UpgradeRequest, { closeCode, reason, error }: Refusal, visit: Visit): Promise<void> {
    const { socket } = upgrade;
    const free = this.#handshakes.refuse(() => socket.destroy());
    if (!free) return refuse(socket, { status: 503, reason }, visit, error);
    socket.once("close", free);
    visit.emit("refused", { reason, closeCode: closeCode.code, error });
    if (reason === "unauthorized") {
      await delay(this.#backOff.delayFor(visit.address), this.#closing.signal);
      if (this.#closing.signal.aborted) return respond(socket, 503);
    }
    complete(this.#refused, upgrade, visit, (webSocket) => {
      let bytes = 0;
      socket.on("data", (data: Buffer) => {
        bytes += data.length;
        if (bytes > MAX_REFUSED_BYTES) webSocket.pause();
      });
      webSocket.on("error", () => {});
      webSocket.close(closeCode.code, closeCode.reason);
    });
  }
}

function webSocketServer(maxPayload: number, closeTimeout: number): WebSocketServer {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload,
    // Never echoes the token, which is offered as a subprotocol as well.
    handleProtocols: () => GATEWAY_PROTOCOL,
    closeTimeout,
  } as ConstructorParameters<typeof WebSocketServer>[0]);
  server.on("headers", (headers) => headers.push(`Via: 1.1 ${GATEWAY_NAME}`));
  return server;
}

/** Completes a handshake; one that `ws` finds invalid is refused. */
function complete(
  server: WebSocketServer,
  { request, socket, head }: UpgradeRequest,
  visit: Visit,
  onOpen: (webSocket: WebSocket) => void,
): void {
  const onInvalid = (_: Error, invalid: Duplex): void => {
    if (invalid === socket) refuse(socket, { status: 400, reason: "handshake" }, visit);
  };
  server.once("wsClientError", onInvalid);
  try {
    server.handleUpgrade(request, socket, head, onOpen);
  } catch {
    // Another upgrade listener has handled the same request.
    socket.destroy();
  } finally {
    server.off("wsClientError", onInvalid);
  }
}

/** Resolves after `ms`, or when the signal aborts. */
function delay(ms: number, signal: AbortSignal): Promise<void> {
  if (ms === 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => done(), ms);
    const cancel = onAbort(signal, () => done());
    const done = (): void => {
      clearTimeout(timer);
      cancel();
      resolve();
    };
  });
}

/** Refuses a request over HTTP. */
export function refuse(socket: Duplex, { status, reason }: HttpRefusal, visit: Visit, error?: unknown): void {
  visit.emit("refused", { reason, status, ...(error === undefined ? {} : { error }) });
  respond(socket, status);
}

/** A function made for each socket would keep its request for as long as the page is connected. */
function ignore(): void {}

function respond(socket: Duplex, status: HttpRefusal["status"]): void {
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, "Connection: close", "Content-Length: 0"];
  if (status === 426) head.push("Upgrade: websocket", "Sec-WebSocket-Version: 13");
  // Node's HTTP server waits for the peer to close its half of the socket, which may never happen.
  socket.once("finish", () => socket.destroy());
  socket.end(`${head.join("\r\n")}\r\n\r\n`);
}
