import { type PeerOptions, RpcPeer } from "../../src/rpc/peer.ts";
import type { Connection, ConnectionReceiver } from "../../src/transport/transport.ts";

/** A peer on a connection whose every event the test brings about itself, in the turn it likes. */
export function playedPeer(options: Partial<PeerOptions> = {}, more: Partial<Connection> = {}) {
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
    ...more,
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
