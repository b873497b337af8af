import { HttpError } from "../api.ts";
import { Preview } from "./preview.ts";
import type { TcpClient } from "./remote-agent.ts";

/** Previews that are open at once. */
const MAX_PREVIEWS = 16;

/** The ports of the other machine that are open. Nothing else of it can be reached. */
export class Registry {
  readonly #client: TcpClient;
  readonly #authority: string;
  readonly #reserved: () => readonly number[];
  readonly #byId = new Map<string, Preview>();

  /**
   * @param authority The host and port under which previews are served.
   * @param reserved Ports that are never opened, on whatever machine the exec-server runs: those of the exec-server, the
   * gateway and the IDE, which trust requests of their own machine more than those of pages.
   */
  constructor(client: TcpClient, authority: string, reserved: () => readonly number[]) {
    this.#client = client;
    this.#authority = authority;
    this.#reserved = reserved;
  }

  /** Opens a port, or returns the preview of one that is open. Throws HttpError. */
  open(port: unknown): Preview {
    if (typeof port !== "number" || !Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new HttpError(400, "A port is a whole number from 1 to 65535.");
    }
    if (this.#reserved().includes(port)) {
      throw new HttpError(400, `Port ${port} belongs to the IDE or to the exec-server.`);
    }
    const open = this.list().find((preview) => preview.port === port);
    if (open) return open;
    if (this.#byId.size === MAX_PREVIEWS) {
      throw new HttpError(409, `${MAX_PREVIEWS} previews are open: close one first.`);
    }
    const preview = new Preview(this.#client, port, this.#authority);
    this.#byId.set(preview.id, preview);
    return preview;
  }

  list(): Preview[] {
    return [...this.#byId.values()];
  }

  /** The preview that a Host header names, as browsers write it. */
  named(host: string): Preview | undefined {
    const preview = this.#byId.get(host.slice(0, host.indexOf(".")));
    if (preview?.origin !== `http://${host}`) return undefined;
    // An exec-server may have been started again at another port.
    return this.#reserved().includes(preview.port) ? undefined : preview;
  }

  /** Resolves with false if there is no such preview. */
  async close(id: string): Promise<boolean> {
    const preview = this.#byId.get(id);
    this.#byId.delete(id);
    await preview?.close();
    return preview !== undefined;
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.list().map(({ id }) => this.close(id)));
  }
}
