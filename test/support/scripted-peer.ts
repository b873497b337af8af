import { type PeerOptions, RpcPeer } from "../../src/rpc/peer.ts";
import type { Connection, ConnectionReceiver } from "../../src/transport/transport.ts";

/** A peer on a connection whose events the test triggers, each in a turn that the test chooses. */
export function scriptedPeer(options: Partial<PeerOptions> = {}, overrides: Partial<Connection> = {}) {
  let receiver!: ConnectionReceiver;
  const sent: string[] = [];
  const connection = {
    isOpen: true,
    closes: 0,
    start(to: ConnectionReceiver) {
      receiver = to;
    },
    send: (frame: string) => void sent.push(frame),
    async close() {
      this.closes++;
      this.isOpen = false;
    },
    ...overrides,
  };
  const rpc = new RpcPeer(connection, { onRequest: () => undefined, ...options });
  rpc.sessionId = "session-1";
  return {
    rpc,
    connection,
    receiver,
    sent,
    message: (index: number) =>
      JSON.parse(sent.at(index) as string) as { id: number; [member: string]: unknown },
    receive: (message: object) => receiver.onFrame(JSON.stringify(message)),
  };
}
