import { randomBytes } from "node:crypto";
import { RemoteAgent, type TcpClient } from "./remote-agent.ts";
import { Tickets } from "./tickets.ts";

/** The path of a preview's host that takes a ticket. The dev server never gets a request for it. */
export const TICKET_PATH = "/__preview";

/** One opened port of the other machine, and the host that shows it. */
export class Preview {
  /** Not guessable, and a name that DNS allows. */
  readonly id = randomBytes(16).toString("hex");
  readonly port: number;
  readonly origin: string;
  /** The value of the cookie that admits a browser. */
  readonly secret = randomBytes(32).toString("base64url");
  readonly tickets = new Tickets();
  readonly agent: RemoteAgent;

  /** @param authority The host and port under which previews are served, such as `localhost:8000`. */
  constructor(client: TcpClient, port: number, authority: string) {
    this.port = port;
    this.origin = `http://${this.id}.${authority}`;
    this.agent = new RemoteAgent(client, port);
  }

  /** A URL that admits one browser, once. */
  admittingUrl(): string {
    return `${this.origin}${TICKET_PATH}?ticket=${this.tickets.issue()}`;
  }

  /** Ends every connection. Resolves when nothing is left of them on the other machine. */
  async close(): Promise<void> {
    await this.agent.close();
  }
}
