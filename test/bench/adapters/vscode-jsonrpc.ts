import { once } from "node:events";
import WebSocket from "ws";
import { initialize, type Peer, pass } from "../peer.ts";
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

const nothing = { dispose() {} };
const events = { onError: () => nothing, onClose: () => nothing, dispose() {} };

/** Comes without a WebSocket; what it reads and writes is made here, as its users do. */
export const vscodeJsonRpc: Peer = {
  name: "vscode-jsonrpc",
  async connect(url) {
    const { createMessageConnection } = await load<VscodeJsonRpc>("vscode-jsonrpc/node");
    const socket = new WebSocket(url);
    await once(socket, "open");
    const reader = {
      ...events,
      onPartialMessage: () => nothing,
      listen(callback: (message: Message) => void) {
        socket.on("message", (data: Buffer) => callback(JSON.parse(data.toString())));
        return nothing;
      },
    };
    const writer = {
      ...events,
      write: async (message: Message) => socket.send(JSON.stringify(message)),
      end() {},
    };
    const connection = createMessageConnection(reader, writer);
    const listeners = new Map();
    connection.onNotification((method, params) => pass(listeners, method, params));
    connection.listen();
    // It would send null as a list of one null.
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
