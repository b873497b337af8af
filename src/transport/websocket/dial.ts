import { ConnectError } from "../../errors/connection.ts";
import type { Connection } from "../transport.ts";
import { WebSocketConnection } from "./connection.ts";
import { closeCodeOf, listen, type SocketEvent, type WebSocketLike } from "./socket.ts";

/** `ws`, Bun and Deno report the HTTP status of a refused upgrade only in the text of the error. */
const REFUSED = /(?:Unexpected server response|Expected 101 status code|Invalid status code): (\d{3})/;

/** Resolves when a socket just constructed is open. `shown` names the address in errors. */
export function openWebSocket(
  socket: WebSocketLike,
  shown: string,
  signal: AbortSignal,
  hintFor = generalHint,
): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const connection = new WebSocketConnection(socket);
    let lastError: SocketEvent = {};
    const fail = (end: SocketEvent): void => {
      signal.removeEventListener("abort", onAbort);
      reject(dialError(shown, lastError, closeCodeOf(end), hintFor));
    };
    connection.onPageLeft = (reason) => {
      signal.removeEventListener("abort", onAbort);
      const message = `Could not connect to ${shown}: ${reason}`;
      reject(new ConnectError(message, { phase: "dial", delivery: "not-sent" }));
    };
    const onAbort = (): void => {
      // Before the close, which can emit an error synchronously.
      reject(signal.reason);
      void connection.close();
    };
    listen(socket, "open", () => {
      signal.removeEventListener("abort", onAbort);
      // After an abort the socket is closing already.
      if (!signal.aborted) resolve(connection);
    });
    listen(socket, "error", (event) => {
      lastError = event;
      // The WebSocket of Node 22 emits no `close` after a failed handshake, so an error while connecting is the end.
      // Deferred by one turn: other runtimes emit `close` with its code right behind the error.
      if (!connection.hasOpened) setTimeout(fail, 0, {});
    });
    listen(socket, "close", fail);
    // The socket's own constructor can have aborted the signal.
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
}

/** What to look at when a dial has failed. */
export type DialHint = (fact: string | undefined) => string | undefined;

/** Browsers and the WebSocket of Node report no reason. */
const generalHint: DialHint = () =>
  (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node
    ? "webSocket() of exec-server-sdk/node says more"
    : "no server there, an origin it refuses, or a wrong token? The console of the browser and the log of the gateway say more";

/** The error of a dial that failed with the events of a WebSocket. */
export function dialError(
  shown: string,
  error: SocketEvent,
  closeCode: number | undefined,
  hintFor: DialHint,
): ConnectError {
  const status = REFUSED.exec(error.message ?? "")?.[1];
  const code = (error.error as { code?: unknown } | undefined)?.code;
  const fact = status ? `the server answered HTTP ${status}` : typeof code === "string" ? code : undefined;
  const hint = hintFor(fact);
  const said = fact ?? error.message;
  const why = said && hint ? `${said} (${hint})` : said || hint || "";
  return new ConnectError(`Could not connect to ${shown}${why && `: ${why}`}`, {
    phase: "dial",
    delivery: "not-sent",
    status: status === undefined ? undefined : Number(status),
    closeCode,
    cause: error.error ?? (error.message ? { message: error.message } : undefined),
  });
}
