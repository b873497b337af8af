/** The params of a notification, whatever it is about. */
export interface Notified {
  readonly processId?: string;
  readonly requestId?: string;
  readonly seq: number;
  readonly chunk: string;
  readonly deltaBase64: string;
  readonly done: boolean;
}

export type Listener = (method: string, params: Notified) => void;

/** A JSON-RPC client with a session of its own on the server, and nothing more. */
export interface RpcClient {
  call(method: string, params: unknown): Promise<unknown>;
  /** By the id of a process or of a request. */
  readonly listeners: Map<string, Listener>;
  close(): void;
}

let lastId = 0;

/** Unique in this program: for a process, a request or a file. */
export function newId(): string {
  return `id-${++lastId}`;
}
