import { Duplex } from "node:stream";
import type { RemoteSocket } from "exec-server-sdk";

/** A connection of the other machine as a stream for Node's HTTP client. */
export function remoteStream(socket: RemoteSocket): Duplex {
  const { readable, writable } = socket;
  // Node's types of web streams are its own.
  const stream = Duplex.fromWeb({ readable, writable } as never);
  // An HTTP client ends its side only when it wants no more. Where the other side then sends no end, close() resets it.
  stream.once("finish", () => void socket.close());
  // What is set on sockets of the system has no meaning here.
  const ignored = (): Duplex => stream;
  return Object.assign(stream, {
    setTimeout: ignored,
    setNoDelay: ignored,
    setKeepAlive: ignored,
    ref: ignored,
    unref: ignored,
  });
}
