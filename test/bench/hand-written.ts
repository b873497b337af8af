import { once } from "node:events";
import WebSocket from "ws";

interface Call {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

interface RunningProcess {
  nextSeq: number;
  readonly early: Map<number, Event>;
  onChunk(chunk: Uint8Array): void;
  onClosed(): void;
}

type Event = { chunk: Uint8Array | undefined; isLast: boolean };

/**
 * What somebody would write who needs just this much of the protocol and wants it fast: no checks, no limits, no
 * account of failures. Output still has to come in order, because the server sends its events from different tasks.
 */
export class HandWrittenClient {
  readonly #socket: WebSocket;
  readonly #calls = new Map<number, Call>();
  readonly #processes = new Map<string, RunningProcess>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data: Buffer) => this.#receive(data.toString()));
  }

  static async connect(url: string): Promise<HandWrittenClient> {
    const client = new HandWrittenClient(new WebSocket(url));
    await once(client.#socket, "open");
    await client.call("initialize", { clientName: "hand-written", resumeSessionId: null });
    client.#socket.send(JSON.stringify({ method: "initialized", params: {} }));
    return client;
  }

  call(method: string, params: unknown): Promise<unknown> {
    const id = ++this.#lastId;
    this.#socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve, reject) => this.#calls.set(id, { resolve, reject }));
  }

  /** Resolves when the process has started; `closed` when all its output has been passed to `onChunk`. */
  async start(argv: string[], onChunk: (chunk: Uint8Array) => void): Promise<{ closed: Promise<void> }> {
    const processId = `process-${++this.#lastId}`;
    const closed = new Promise<void>((onClosed) => {
      this.#processes.set(processId, { nextSeq: 1, early: new Map(), onChunk, onClosed });
    });
    await this.call("process/start", { processId, argv, cwd: "file:///", env: {}, tty: false });
    return { closed: closed.finally(() => this.#processes.delete(processId)) };
  }

  close(): void {
    this.#socket.close();
  }

  #receive(text: string): void {
    const { id, method, params, result, error } = JSON.parse(text);
    if (method === undefined) {
      const call = this.#calls.get(id);
      this.#calls.delete(id);
      if (error) call?.reject(new Error(error.message));
      else call?.resolve(result);
      return;
    }
    const process = this.#processes.get(params.processId);
    if (!process) return;
    const chunk = method === "process/output" ? Buffer.from(params.chunk, "base64") : undefined;
    process.early.set(params.seq, { chunk, isLast: method === "process/closed" });
    for (let event = process.early.get(process.nextSeq); event; event = process.early.get(process.nextSeq)) {
      process.early.delete(process.nextSeq++);
      if (event.chunk) process.onChunk(event.chunk);
      if (event.isLast) process.onClosed();
    }
  }
}
