import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { stdio } from "../../../src/node.ts";
import { serveStdio } from "../../../src/testing-node.ts";
import { Children } from "../../support/children.ts";
import { BareServer, ChannelPeer } from "./channel-peer.ts";
import type { Harness } from "./harness.ts";

/** The server behind a child process that relays its standard streams. */
export class StdioPeer extends ChannelPeer {
  child!: ChildProcess;
  #sent = 0;

  override send(...frames: string[]): void {
    for (const frame of frames) this.sendBytes(`${frame}\n`);
  }

  sendBytes(bytes: string | Uint8Array): void {
    this.#sent += Buffer.byteLength(bytes);
    this.channel.sendBytes(Buffer.from(bytes));
  }

  override async flushed(): Promise<void> {
    const stdout = this.child.stdout as Socket;
    while (stdout.bytesRead < this.#sent) await once(stdout, "data");
  }

  override pause(): void {
    this.child.kill("SIGSTOP");
  }

  override resume(): void {
    this.child.kill("SIGCONT");
  }

  override disappear(): void {
    this.child.kill("SIGKILL");
  }
}

export interface StdioHarness extends Harness {
  peer(): Promise<StdioPeer>;
}

export async function stdioHarness(): Promise<StdioHarness> {
  const server = new BareServer((channel) => new StdioPeer(channel));
  const served = await serveStdio(server);
  const children = new Children();
  const harness: StdioHarness = {
    transport: stdio(served),
    get onAttempt() {
      return children.onStart;
    },
    set onAttempt(onStart) {
      children.onStart = onStart;
    },
    get attempts() {
      return children.started.length;
    },
    async peer() {
      const peer = await server.peer();
      peer.child = children.latest;
      return peer;
    },
    allGone: () => children.gone(),
    async [Symbol.asyncDispose]() {
      children[Symbol.dispose]();
      await served.close();
    },
  };
  return harness;
}
