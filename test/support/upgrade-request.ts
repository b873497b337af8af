import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { ORIGIN, PROTOCOLS } from "./gateway.ts";

/** An upgrade request, line by line, so that it can be wrong in every way. */
export interface Knock {
  readonly method?: string;
  readonly path?: string;
  /** What differs from an honest page's request; undefined for a header that is not sent, a list for several. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
}

export function requestText(port: number, { method = "GET", path = "/", headers = {} }: Knock = {}): string {
  const all: NonNullable<Knock["headers"]> = {
    Host: `127.0.0.1:${port}`,
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": PROTOCOLS.join(", "),
    Origin: ORIGIN,
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((one) => `${name}: ${one}`),
  );
  return `${[`${method} ${path} HTTP/1.1`, ...lines].join("\r\n")}\r\n\r\n`;
}

/** A socket that forgives whatever the other side does to it. */
export async function rawSocket(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

/** Unlike `once`, this takes no error for an answer. */
export function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });
}

/** What one gets to hear at the door; an open one is left at once. */
export async function knock(
  port: number,
  request: Knock | string,
): Promise<{ status: number; text: string }> {
  const socket = await rawSocket(port);
  let text = "";
  socket.setEncoding("latin1").on("data", (piece: string) => {
    text += piece;
    if (text.startsWith("HTTP/1.1 101")) socket.destroy();
  });
  socket.write(typeof request === "string" ? request : requestText(port, request));
  await closed(socket);
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]), text };
}

/** A WebSocket whose every byte is the test's, already open. */
export async function openRaw(port: number): Promise<Socket> {
  const socket = await rawSocket(port);
  socket.write(requestText(port));
  const [head] = (await once(socket, "data")) as [Buffer];
  if (!head.toString("latin1").startsWith("HTTP/1.1 101")) throw new Error(head.toString("latin1"));
  return socket;
}

/** A frame as a client sends it, masked with zeros, which leave the payload as it is. */
export function clientFrame(firstByte: number, payload: string | Uint8Array, claimedLength?: number): Buffer {
  const bytes = Buffer.from(payload);
  const length = claimedLength ?? bytes.length;
  const head = Buffer.alloc(14);
  head[0] = firstByte;
  head[1] = 0x80 | 127;
  head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, bytes]);
}

/** The close code in the last of the frames that were received; undefined where there is none. */
export function closeCodeIn(received: Buffer): number | undefined {
  const at = received.lastIndexOf(0x88);
  return at < 0 || received.length < at + 4 ? undefined : received.readUInt16BE(at + 2);
}
