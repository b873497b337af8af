import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { ORIGIN, PROTOCOLS } from "./gateway.ts";

/** What differs from the valid upgrade request of a page. */
export interface UpgradeRequest {
  readonly method?: string;
  readonly path?: string;
  /** Undefined omits a header, an array repeats it. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
}

export function requestText(
  port: number,
  { method = "GET", path = "/", headers = {} }: UpgradeRequest = {},
): string {
  const all: NonNullable<UpgradeRequest["headers"]> = {
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

/** An open TCP socket. Its errors are ignored, because the gateway may reset it. */
export async function rawSocket(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

/** Resolves when a socket has closed. Unlike `once`, it does not reject on an error. */
export function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });
}

/** Sends an upgrade request and resolves with the response. An accepted WebSocket is destroyed at once. */
export async function requestUpgrade(
  port: number,
  request: UpgradeRequest | string,
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

/** Sends an upgrade request and resolves with the HTTP status of the response or, after 101, with the close code. */
export async function requestRefusal(
  port: number,
  request: UpgradeRequest,
): Promise<{ status: number; text: string }> {
  const socket = await rawSocket(port);
  let text = "";
  let status = Number.NaN;
  socket.setEncoding("latin1").on("data", (piece: string) => {
    text += piece;
    const [, head = "", frames = ""] = /^(HTTP\/1\.1 \d{3}.*?\r\n\r\n)(.*)$/s.exec(text) ?? [];
    status = Number(head.slice(9, 12));
    if (status === 101) status = closeCodeIn(Buffer.from(frames, "latin1")) ?? Number.NaN;
    if (status > 101) socket.destroy();
  });
  socket.write(requestText(port, request));
  await closed(socket);
  return { status, text };
}

/** The TCP socket of an open WebSocket, on which a test reads and writes the frames. */
export async function openRawWebSocket(port: number): Promise<Socket> {
  const socket = await rawSocket(port);
  socket.write(requestText(port));
  const [head] = (await once(socket, "data")) as [Buffer];
  if (!head.toString("latin1").startsWith("HTTP/1.1 101")) throw new Error(head.toString("latin1"));
  return socket;
}

/** A frame as a client sends it. The mask is zero, which leaves the payload unchanged. */
export function clientFrame(firstByte: number, payload: string | Uint8Array, claimedLength?: number): Buffer {
  const bytes = Buffer.from(payload);
  const length = claimedLength ?? bytes.length;
  const head = Buffer.alloc(14);
  head[0] = firstByte;
  head[1] = 0x80 | 127;
  head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, bytes]);
}

/** The close code in the last frame of the received bytes; undefined without a close frame. */
export function closeCodeIn(received: Buffer): number | undefined {
  const at = received.lastIndexOf(0x88);
  return at < 0 || received.length < at + 4 ? undefined : received.readUInt16BE(at + 2);
}
