/** A minimal client for a page, written for speed: no checks, no limits, no error details. */

/** What carries its text messages: a WebSocket, or a worker with one. */
export interface Channel {
  send(text: string): void;
  onText: (text: string) => void;
}

interface Params {
  readonly processId?: string;
  readonly requestId?: string;
  readonly seq: number;
  readonly chunk: string;
  readonly deltaBase64: string;
  readonly done: boolean;
}
type Listener = (method: string, params: Params) => void;

const MiB = 1024 * 1024;
const IN_FLIGHT = 4;

/** Native where the browser has them, as a page written today would use them. */
interface Base64 {
  fromBase64?(text: string): Uint8Array;
  prototype: { toBase64?(this: Uint8Array): string };
}
const native = Uint8Array as unknown as Base64;

function decode(text: string): Uint8Array {
  return native.fromBase64?.(text) ?? Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

function encode(bytes: Uint8Array): string {
  if (native.prototype.toBase64) return native.prototype.toBase64.call(bytes);
  let binary = "";
  for (let at = 0; at < bytes.length; at += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  }
  return btoa(binary);
}

export class PageClient {
  readonly #channel: Channel;
  readonly #calls = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  readonly #listeners = new Map<string, Listener>();
  #lastId = 0;

  private constructor(channel: Channel) {
    this.#channel = channel;
    channel.onText = (text) => this.#receive(text);
  }

  static async connect(channel: Channel): Promise<PageClient> {
    const client = new PageClient(channel);
    await client.call("initialize", { clientName: "hand-written", resumeSessionId: null });
    channel.send(JSON.stringify({ method: "initialized", params: {} }));
    return client;
  }

  call(method: string, params: unknown): Promise<unknown> {
    const id = ++this.#lastId;
    this.#channel.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve, reject) => this.#calls.set(id, { resolve, reject }));
  }

  /** Passes all output of a process to `onChunk`. */
  async output(argv: readonly string[], onChunk: (chunk: Uint8Array) => void): Promise<void> {
    const processId = this.#newId();
    // The server sends events from different tasks, so they can arrive out of order.
    const held = new Map<number, Uint8Array | "closed" | undefined>();
    let nextSeq = 1;
    const closed = new Promise<void>((resolve) => {
      this.#listeners.set(processId, (method, { seq, chunk }) => {
        const isClosed = method === "process/closed";
        held.set(seq, isClosed ? "closed" : method === "process/output" ? decode(chunk) : undefined);
        for (; held.has(nextSeq); nextSeq++) {
          const event = held.get(nextSeq);
          held.delete(nextSeq);
          if (event === "closed") resolve();
          else if (event) onChunk(event);
        }
      });
    });
    await this.call("process/start", { processId, argv, cwd: "file:///", env: {}, tty: false });
    await closed;
    this.#listeners.delete(processId);
  }

  async read(path: string, length: number): Promise<number> {
    const handleId = this.#newId();
    await this.call("fs/open", { path: `file://${path}`, handleId, mode: "read" });
    const inFlight: Promise<unknown>[] = [];
    let bytes = 0;
    const take = async (): Promise<void> => {
      bytes += decode(((await inFlight.shift()) as { chunk: string }).chunk).length;
    };
    for (let offset = 0; offset < length; offset += MiB) {
      if (inFlight.length === IN_FLIGHT) await take();
      inFlight.push(this.call("fs/readBlock", { handleId, offset, len: MiB }));
    }
    while (inFlight.length > 0) await take();
    await this.call("fs/close", { handleId });
    return bytes;
  }

  async write(path: string, data: Uint8Array): Promise<void> {
    const handleId = this.#newId();
    await this.call("fs/open", { path: `file://${path}`, handleId, mode: "replace" });
    const inFlight: Promise<unknown>[] = [];
    for (let offset = 0; offset < data.length; offset += MiB) {
      if (inFlight.length === IN_FLIGHT) await inFlight.shift();
      const chunk = encode(data.subarray(offset, offset + MiB));
      inFlight.push(this.call("fs/writeBlock", { handleId, offset, chunk }));
    }
    await Promise.all(inFlight);
    await this.call("fs/close", { handleId });
  }

  /** Resolves with the length of the whole body. */
  async fetch(url: string): Promise<number> {
    const requestId = this.#newId();
    let bytes = 0;
    const whole = new Promise<void>((resolve) => {
      this.#listeners.set(requestId, (_, { deltaBase64, done }) => {
        bytes += decode(deltaBase64).length;
        if (done) resolve();
      });
    });
    await this.call("http/request", { method: "GET", url, headers: [], requestId, streamResponse: true });
    await whole;
    this.#listeners.delete(requestId);
    return bytes;
  }

  #newId(): string {
    return `id-${++this.#lastId}`;
  }

  #receive(text: string): void {
    const { id, method, params, result, error } = JSON.parse(text);
    if (method !== undefined) {
      this.#listeners.get(params.processId ?? params.requestId)?.(method, params);
      return;
    }
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (error) call?.reject(new Error(error.message));
    else call?.resolve(result);
  }
}
