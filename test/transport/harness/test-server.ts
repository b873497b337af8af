import type { ChannelReceiver, DialRefusal, ServerChannel } from "../../../src/testing/channel.ts";
import { TestServer } from "../../../src/testing.ts";
import { AsyncQueue } from "../../support/async-queue.ts";
import type { Harness, Peer } from "./harness.ts";

class ChannelPeer implements Peer, ChannelReceiver {
  readonly gone: Promise<void>;
  readonly #channel: ServerChannel;
  readonly #received = new AsyncQueue<string | undefined>();
  #onGone!: () => void;

  constructor(channel: ServerChannel) {
    this.#channel = channel;
    this.gone = new Promise((resolve) => {
      this.#onGone = resolve;
    });
  }

  onFrame(frame: string): void {
    this.#received.push(frame);
  }

  onEnd(): void {
    this.#received.push(undefined);
    this.#onGone();
  }

  receive(): Promise<string | undefined> {
    return this.#received.next();
  }

  send(...frames: string[]): void {
    for (const frame of frames) this.#channel.send(frame);
  }

  async flushed(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  pause(): void {
    this.#channel.pause();
  }

  resume(): void {
    this.#channel.resume();
  }

  end(): void {
    this.#channel.close(1000, "");
  }

  vanish(): void {
    this.#channel.drop();
  }
}

/** The channel in memory of a test server, with nothing of a server on it. */
class BareServer extends TestServer implements Harness {
  readonly #accepted: ChannelPeer[] = [];
  readonly #peers = new AsyncQueue<Peer>();
  onAttempt: (() => void) | undefined;

  get attempts(): number {
    return this.dials;
  }

  override admit(): Promise<DialRefusal | undefined> {
    this.onAttempt?.();
    return super.admit();
  }

  override accept(channel: ServerChannel): ChannelReceiver {
    const peer = new ChannelPeer(channel);
    this.#accepted.push(peer);
    this.#peers.push(peer);
    return peer;
  }

  peer(): Promise<Peer> {
    return this.#peers.next();
  }

  async allGone(): Promise<void> {
    for (const peer of this.#accepted) {
      // One that is paused would not notice.
      peer.resume();
      await peer.gone;
    }
  }
}

export async function testServerHarness(): Promise<Harness> {
  return new BareServer();
}
