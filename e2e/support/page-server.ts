import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { StaticFiles } from "../../examples/web-ide/server/static-files.ts";

/** Serves a built page under a strict policy, and collects the browser's complaints about it. */
export class PageServer {
  /** What the page may connect to, beside its own script. */
  connectSrc = "'none'";
  /** Reports of violations, as the browser sent them. */
  readonly reports: string[] = [];
  readonly #server: Server;

  private constructor(directory: string) {
    const files = new StaticFiles(directory);
    this.#server = createServer(async (request, response) => {
      if (files.answer(request, response, this.#policy())) return;
      if (request.url === "/csp-report") {
        this.reports.push(Buffer.concat(await request.toArray()).toString());
        response.writeHead(204).end();
      } else {
        response.writeHead(404).end();
      }
    });
  }

  static async start(directory: string): Promise<PageServer> {
    const server = new PageServer(directory);
    server.#server.listen(0, "127.0.0.1");
    await once(server.#server, "listening");
    return server;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  #policy(): string {
    return [
      "default-src 'none'",
      "script-src 'self'",
      "worker-src 'self'",
      "frame-src 'self'",
      "img-src data:",
      `connect-src ${this.connectSrc}`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'self'",
      "require-trusted-types-for 'script'",
      // The one policy is the test page's own, for the URL of its worker. The SDK needs none.
      "trusted-types e2e-worker",
      "report-uri /csp-report",
    ].join("; ");
  }
}
