import type { EmitterPort } from "../../src/index.ts";
import { deferred } from "../../src/internal/deferred.ts";
import type { PortMessage } from "./port-peer.ts";

/** A message port that delivers synchronously, in the turn in which the test calls `deliver`. */
export class ScriptedPort implements EmitterPort {
  /** Every message posted, in order. */
  readonly posted: PortMessage[] = [];
  readonly #closed = deferred<void>();
  readonly closed = this.#closed.promise;
  readonly #onPost: (message: PortMessage) => void;
  #deliver: (event: { data?: unknown }) => void = () => {};

  constructor(onPost: (message: PortMessage) => void = () => {}) {
    this.#onPost = onPost;
  }

  /** The types of the messages posted. */
  get types(): string[] {
    return this.posted.map(({ type }) => type);
  }

  deliver(type: string, members: object = {}): void {
    this.#deliver({ data: { protocol: "exec-server-port/1", type, ...members } });
  }

  postMessage(message: unknown): void {
    this.posted.push(message as PortMessage);
    this.#onPost(message as PortMessage);
  }

  on(type: string, listener: (event: { data?: unknown }) => void): void {
    if (type === "message") this.#deliver = listener;
  }

  off(type: string): void {
    if (type === "message") this.#deliver = () => {};
  }

  close(): void {
    this.#closed.resolve();
  }
}
