import { BareServer, ChannelPeer } from "./channel-peer.ts";
import type { Harness } from "./harness.ts";

class MemoryServer extends BareServer<ChannelPeer> implements Harness {
  constructor() {
    super((channel) => new ChannelPeer(channel));
  }

  get attempts(): number {
    return this.dials;
  }

  async allGone(): Promise<void> {
    for (const peer of this.accepted) {
      // A paused peer does not see its end.
      peer.resume();
      await peer.gone;
    }
  }
}

export async function testServerHarness(): Promise<Harness> {
  return new MemoryServer();
}
