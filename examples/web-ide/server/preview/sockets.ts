import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";

/** Answers a WebSocket handshake with a status. */
export function refuse(socket: Duplex, status: number): void {
  finish(
    socket,
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
  );
}

/** Closes a browser's socket after what was written to it, whether or not the browser closes its side. */
export function finish(socket: Duplex, last = ""): void {
  socket.once("finish", () => socket.destroy());
  socket.end(last);
}
