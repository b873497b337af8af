import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { AsyncQueue } from "./async-queue.ts";

/** Path of a program in test/fixtures, to run with `process.execPath`. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}.mjs`, import.meta.url));
}

/** A TCP server to which fixture programs connect. The connection of a program closes when the program ends. */
export class ControlServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #connections = new AsyncQueue<Socket>();
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      // A killed program resets its connection.
      socket.on("error", () => {});
      socket.once("close", () => this.#sockets.delete(socket));
      this.#connections.push(socket);
    });
  }

  static async start(): Promise<ControlServer> {
    const server = new ControlServer(createServer());
    server.#server.listen(0, "127.0.0.1");
    await once(server.#server, "listening");
    return server;
  }

  /** The port, as an argument for a program. */
  get port(): string {
    return String((this.#server.address() as AddressInfo).port);
  }

  /** Resolves with the connection of the next program. */
  program(): Promise<Socket> {
    return this.#connections.next();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
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
