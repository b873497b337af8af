import { once } from "node:events";
import { dispatch, initialize, type Peer } from "../peer.ts";
import { load } from "../peers/load.ts";

interface RpcWebSockets {
  readonly Client: new (
    url: string,
  ) => NodeJS.EventEmitter & {
    call(method: string, params: unknown): Promise<unknown>;
    notify(method: string, params: unknown): Promise<void>;
    close(): void;
  };
}

export const rpcWebSockets: Peer = {
  name: "rpc-websockets",
  async connect(url) {
    const { Client } = await load<RpcWebSockets>("rpc-websockets");
    const client = new Client(url);
    const listeners = new Map();
    for (const method of ["process/output", "process/exited", "process/closed"]) {
      client.on(method, (params: unknown) => dispatch(listeners, method, params));
    }
    await once(client, "open");
    const call = (method: string, params: unknown) => client.call(method, params);
    await initialize("rpc-websockets", call, (method, params) => client.notify(method, params));
    return { call, listeners, close: () => client.close() };
  },
};
