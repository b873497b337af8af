import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { stdio } from "../../../src/node.ts";
import { AsyncQueue } from "../../support/async-queue.ts";
import { Children } from "../../support/children.ts";
import { ControlServer, fixture } from "../../support/control-server.ts";
import type { Harness, Peer } from "./harness.ts";

/** Plays the server behind a relaying child. */
export class StdioPeer implements Peer {
  readonly child: ChildProcess;
  readonly #control: Socket;
  readonly #received = new AsyncQueue<string | undefined>();
  #sent = 0;

  constructor(child: ChildProcess, control: Socket) {
    this.child = child;
    this.#control = control;
    let unfinished = "";
    // By hand: newer versions of Node's line reader also end a line at U+2028.
    control.setEncoding("utf8").on("data", (text: string) => {
      const lines = (unfinished + text).split("\n");
      unfinished = lines.pop() ?? "";
      for (const line of lines) this.#received.push(line);
    });
    // A child that is killed resets its connection.
    control.on("error", () => {});
    control.on("close", () => this.#received.push(undefined));
  }

  receive(): Promise<string | undefined> {
    return this.#received.next();
  }

  send(...frames: string[]): void {
    for (const frame of frames) this.sendBytes(`${frame}\n`);
  }

  sendBytes(bytes: string | Uint8Array): void {
    this.#sent += Buffer.byteLength(bytes);
    this.#control.write(bytes);
  }

  async flushed(): Promise<void> {
    const stdout = this.child.stdout as Socket;
    while (stdout.bytesRead < this.#sent) await once(stdout, "data");
  }

  pause(): void {
    this.child.kill("SIGSTOP");
  }

  resume(): void {
    this.child.kill("SIGCONT");
  }

  end(): void {
    this.#control.end();
  }

  vanish(): void {
    this.child.kill("SIGKILL");
  }
}

export interface StdioHarness extends Harness {
  peer(): Promise<StdioPeer>;
}

export async function stdioHarness(): Promise<StdioHarness> {
  const control = await ControlServer.start();
  const children = new Children();
  const harness: StdioHarness = {
    transport: stdio({ command: process.execPath, args: [fixture("relay"), control.port] }),
    get onAttempt() {
      return children.onStart;
    },
    set onAttempt(onStart) {
      children.onStart = onStart;
    },
    get attempts() {
      return children.started.length;
    },
    peer: async () => new StdioPeer(children.latest, await control.program()),
    allGone: () => children.gone(),
    async [Symbol.asyncDispose]() {
      children[Symbol.dispose]();
      await control[Symbol.asyncDispose]();
    },
  };
  return harness;
}
