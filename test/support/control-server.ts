import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { AsyncQueue } from "./async-queue.ts";

/** A program of test/fixtures, to be run with `process.execPath`. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}.mjs`, import.meta.url));
}

/** Where fixture programs report to. A program's connection lives as long as the program, which is how tests see it go. */
export class ControlServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #arrivals = new AsyncQueue<Socket>();
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      // A program that is killed resets its connection.
      socket.on("error", () => {});
      socket.once("close", () => this.#sockets.delete(socket));
      this.#arrivals.push(socket);
    });
  }

  static async start(): Promise<ControlServer> {
    const server = new ControlServer(createServer());
    server.#server.listen(0, "127.0.0.1");
    await once(server.#server, "listening");
    return server;
  }

  /** For a program's arguments. */
  get port(): string {
    return String((this.#server.address() as AddressInfo).port);
  }

  /** The next program that reports. */
  program(): Promise<Socket> {
    return this.#arrivals.next();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** Resolves when the program behind a control connection is gone. */
export async function gone(program: Socket): Promise<void> {
  program.resume();
  if (!program.closed) await once(program, "close");
}

/** Everything a program reports until it closes its side. */
export async function report(program: Socket): Promise<string> {
  let text = "";
  program.setEncoding("utf8");
  for await (const piece of program) text += piece;
  return text;
}
