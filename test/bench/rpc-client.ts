/** The params of all notifications together. */
export interface NotificationParams {
  readonly processId?: string;
  readonly requestId?: string;
  readonly seq: number;
  readonly chunk: string;
  readonly deltaBase64: string;
  readonly done: boolean;
}

export type Listener = (method: string, params: NotificationParams) => void;

/** A JSON-RPC client with its own session on the server. */
export interface RpcClient {
  call(method: string, params: unknown): Promise<unknown>;
  /** Listeners by process id or request id. */
  readonly listeners: Map<string, Listener>;
  close(): void;
}

let lastId = 0;

/** Returns an id for a process, a request or a file handle, unique in this process. */
export function newId(): string {
  return `id-${++lastId}`;
}
