import type { ChannelReceiver, DialRefusal, ServerChannel } from "../../../src/testing/channel.ts";
import { TestServer } from "../../../src/testing.ts";
import { AsyncQueue } from "../../support/async-queue.ts";
import type { Peer } from "./harness.ts";

/** The far side of a test server's channel, without the behaviour of an exec-server. */
export class ChannelPeer implements Peer, ChannelReceiver {
  readonly gone: Promise<void>;
  readonly channel: ServerChannel;
  readonly #received = new AsyncQueue<string | undefined>();
  #onGone!: () => void;

  constructor(channel: ServerChannel) {
    this.channel = channel;
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
    for (const frame of frames) this.channel.send(frame);
  }

  async flushed(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  pause(): void {
    this.channel.pause();
  }

  resume(): void {
    this.channel.resume();
  }

  end(): void {
    this.channel.close(1000, "");
  }

  disappear(): void {
    this.channel.drop();
  }
}

/** A test server whose channels are peers, without the behaviour of an exec-server. */
export class BareServer<P extends ChannelPeer> extends TestServer {
  readonly accepted: P[] = [];
  readonly #peers = new AsyncQueue<P>();
  readonly #makePeer: (channel: ServerChannel) => P;
  onAttempt: (() => void) | undefined;

  constructor(makePeer: (channel: ServerChannel) => P) {
    super();
    this.#makePeer = makePeer;
  }

  override admit(): Promise<DialRefusal | undefined> {
    this.onAttempt?.();
    return super.admit();
  }

  override accept(channel: ServerChannel): ChannelReceiver {
    const peer = this.#makePeer(channel);
    this.accepted.push(peer);
    this.#peers.push(peer);
    return peer;
  }

  peer(): Promise<P> {
    return this.#peers.next();
  }
}
