import { once } from "node:events";
import WebSocket from "ws";
import type { Listener, RpcClient } from "./rpc-client.ts";

interface Call {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** A minimal client that is written for speed: no checks, no limits, no error details. */
export class HandWrittenClient implements RpcClient {
  readonly #socket: WebSocket;
  readonly #calls = new Map<number, Call>();
  readonly listeners = new Map<string, Listener>();
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

  close(): void {
    this.#socket.close();
  }

  #receive(text: string): void {
    const { id, method, params, result, error } = JSON.parse(text);
    if (method !== undefined) {
      this.listeners.get(params.processId ?? params.requestId)?.(method, params);
      return;
    }
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (error) call?.reject(new Error(error.message));
    else call?.resolve(result);
  }
}
