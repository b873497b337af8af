import { once } from "node:events";
import WebSocket from "ws";
import { dispatch, initialize, type Peer } from "../peer.ts";
import { load } from "../peers/load.ts";

type Message = Record<string, unknown>;

interface VscodeJsonRpc {
  createMessageConnection(
    reader: { listen(callback: (message: Message) => void): { dispose(): void } },
    writer: { write(message: Message): Promise<void>; end(): void },
  ): {
    listen(): void;
    dispose(): void;
    sendRequest(method: string, params: unknown): Promise<unknown>;
    sendNotification(method: string, params: unknown): Promise<void>;
    onNotification(handler: (method: string, params: unknown) => void): void;
  };
}

const disposable = { dispose() {} };
const events = { onError: () => disposable, onClose: () => disposable, dispose() {} };

/** vscode-jsonrpc has no WebSocket transport, so this adapter has a reader and a writer for one. */
export const vscodeJsonRpc: Peer = {
  name: "vscode-jsonrpc",
  async connect(url) {
    const { createMessageConnection } = await load<VscodeJsonRpc>("vscode-jsonrpc/node");
    const socket = new WebSocket(url);
    await once(socket, "open");
    const reader = {
      ...events,
      onPartialMessage: () => disposable,
      listen(callback: (message: Message) => void) {
        socket.on("message", (data: Buffer) => callback(JSON.parse(data.toString())));
        return disposable;
      },
    };
    const writer = {
      ...events,
      write: async (message: Message) => socket.send(JSON.stringify(message)),
      end() {},
    };
    const connection = createMessageConnection(reader, writer);
    const listeners = new Map();
    connection.onNotification((method, params) => dispatch(listeners, method, params));
    connection.listen();
    // vscode-jsonrpc sends null params as `[null]`.
    const call = (method: string, params: unknown) => connection.sendRequest(method, params ?? {});
    await initialize("vscode-jsonrpc", call, (method, params) => connection.sendNotification(method, params));
    return {
      call,
      listeners,
      close() {
        connection.dispose();
        socket.close();
      },
    };
  },
};
