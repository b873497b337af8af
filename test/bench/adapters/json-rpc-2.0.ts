import { once } from "node:events";
import WebSocket from "ws";
import { dispatch, initialize, type Peer } from "../peer.ts";
import { load } from "../peers/load.ts";

interface PartySocket {
  readonly default: new (
    url: string,
    protocols: string[],
    options: { WebSocket: unknown },
  ) => EventTarget & { send(data: string): void; close(): void };
}

interface JsonRpc {
  readonly JSONRPCClient: new (
    send: (request: unknown) => void,
  ) => {
    request(method: string, params: unknown): Promise<unknown>;
    notify(method: string, params: unknown): void;
    receive(response: unknown): void;
  };
}

/** partysocket keeps the socket, json-rpc-2.0 matches responses to requests. The caller dispatches notifications. */
export const jsonRpc: Peer = {
  name: "partysocket + json-rpc-2.0",
  async connect(url) {
    const { default: ReconnectingWebSocket } = await load<PartySocket>("partysocket/ws");
    const { JSONRPCClient } = await load<JsonRpc>("json-rpc-2.0");
    const socket = new ReconnectingWebSocket(url, [], { WebSocket });
    const client = new JSONRPCClient((request) => socket.send(JSON.stringify(request)));
    const listeners = new Map();
    socket.addEventListener("message", (event) => {
      const message = JSON.parse((event as MessageEvent).data);
      if (message.method === undefined) client.receive(message);
      else dispatch(listeners, message.method, message.params);
    });
    await once(socket, "open");
    const call = (method: string, params: unknown) => client.request(method, params);
    await initialize("json-rpc-2.0", call, (method, params) => client.notify(method, params));
    return { call, listeners, close: () => socket.close() };
  },
};
