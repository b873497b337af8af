import { platformClass } from "../../internal/platform.ts";
import type { WebSocketLike } from "./socket.ts";

/** Bytes. The frames of blocks and writes of 1 MiB fit. Longer frames are sent as text: they are rare. */
const MEMORY = 1.5 * 1024 * 1024;
/** Characters from which on a binary frame is quicker than text. */
const MIN_LENGTH = 4 * 1024;

/** The source text of a platform's own `send`. A function that is bound or in a Proxy has no name in it. */
const NATIVE_SEND = /^function send\(\)\s*\{\s*\[native code\]\s*\}$/;

/**
 * Sends one frame made of several parts. A long one is sent as its UTF-8 bytes, in memory that is used again for the next
 * frame: a browser takes more than twice the time for the same frame as text. Undefined for a WebSocket that is not the
 * platform's own: it may read the memory after `send` has returned.
 */
export function binarySender(socket: WebSocketLike): ((...parts: string[]) => void) | undefined {
  if (!NATIVE_SEND.test(Function.prototype.toString.call(socket.send))) return undefined;
  const encoder = new (platformClass("TextEncoder"))();
  let memory: Uint8Array<ArrayBuffer> | undefined;
  /** The bytes of the frame; undefined if there are too many. */
  const encode = (parts: readonly string[]): Uint8Array<ArrayBuffer> | undefined => {
    memory ??= new Uint8Array(MEMORY);
    let end = 0;
    for (const part of parts) {
      const { read, written } = encoder.encodeInto(part, memory.subarray(end));
      if (read < part.length) return undefined;
      end += written;
    }
    return memory.subarray(0, end);
  };
  return (...parts) => {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const bytes = length < MIN_LENGTH || length > MEMORY ? undefined : encode(parts);
    if (bytes) (socket as unknown as Pick<WebSocket, "send">).send(bytes);
    else socket.send(parts.join(""));
  };
}
