import { once } from "node:events";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { TcpPeer } from "./tcp-peer.ts";

/** Path of a program in test/fixtures, to run with `process.execPath`. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}.mjs`, import.meta.url));
}

/** A TCP server to which fixture programs connect. The connection of a program closes when the program ends. */
export class ControlServer implements AsyncDisposable {
  readonly #peer: TcpPeer;

  private constructor(peer: TcpPeer) {
    this.#peer = peer;
  }

  static async start(): Promise<ControlServer> {
    return new ControlServer(await TcpPeer.listen({ allowHalfOpen: false }));
  }

  /** The port, as an argument for a program. */
  get port(): string {
    return String(this.#peer.port);
  }

  /** Resolves with the connection of the next program. */
  program(): Promise<Socket> {
    return this.#peer.accept();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#peer[Symbol.asyncDispose]();
  }
}

/** Resolves when the program of a control connection has ended. */
export async function gone(program: Socket): Promise<void> {
  program.resume();
  if (!program.closed) await once(program, "close");
}

/** Resolves with everything a program sends until it closes its side. */
export async function report(program: Socket): Promise<string> {
  let text = "";
  program.setEncoding("utf8");
  for await (const chunk of program) text += chunk;
  return text;
}
