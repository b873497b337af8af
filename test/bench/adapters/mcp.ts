import { once } from "node:events";
import WebSocket from "ws";
import { dispatch, initialize, type Peer } from "../peer.ts";
import { load } from "../peers/load.ts";

interface Message {
  readonly method: string;
  readonly params: unknown;
}

interface Transport {
  onmessage?: (message: unknown) => void;
  start(): Promise<void>;
  send(message: unknown): Promise<void>;
  close(): Promise<void>;
}

declare class AnyProtocol {
  fallbackNotificationHandler: (message: Message) => Promise<void>;
  connect(transport: Transport): Promise<void>;
  request(message: Message, schema: unknown): Promise<unknown>;
  notification(message: Message): Promise<void>;
  close(): Promise<void>;
}

interface Mcp {
  readonly Protocol: typeof AnyProtocol;
}

interface McpTypes {
  readonly ResultSchema: unknown;
}

/** The JSON-RPC layer of the MCP SDK, on a transport that adds the `jsonrpc` member which it requires. */
export const mcp: Peer = {
  name: "MCP SDK",
  async connect(url) {
    const { Protocol } = await load<Mcp>("@modelcontextprotocol/sdk/shared/protocol.js");
    const { ResultSchema } = await load<McpTypes>("@modelcontextprotocol/sdk/types.js");
    class Client extends Protocol {
      assertCapabilityForMethod(): void {}
      assertNotificationCapability(): void {}
      assertRequestHandlerCapability(): void {}
      assertTaskCapability(): void {}
      assertTaskHandlerCapability(): void {}
    }
    const socket = new WebSocket(url);
    await once(socket, "open");
    const transport: Transport = {
      async start() {
        socket.on("message", (data: Buffer) => {
          transport.onmessage?.({ jsonrpc: "2.0", ...JSON.parse(data.toString()) });
        });
      },
      send: async (message) => socket.send(JSON.stringify(message)),
      close: async () => socket.close(),
    };
    const client = new Client();
    const listeners = new Map();
    client.fallbackNotificationHandler = async ({ method, params }) => dispatch(listeners, method, params);
    await client.connect(transport);
    const call = (method: string, params: unknown) => client.request({ method, params }, ResultSchema);
    await initialize("mcp", call, (method, params) => client.notification({ method, params }));
    return { call, listeners, close: () => void client.close() };
  },
};
