import { StaticFiles } from "../../examples/web-ide/server/static-files.ts";
import { Origin } from "../../test/support/origin.ts";

/** Serves a built page under a strict Content-Security-Policy, and collects the browser's reports of violations. */
export class PageServer {
  /** The sources that the page may connect to. */
  connectSrc = "'none'";
  /** Browsers keep no page with a WebSocket and "no-store" in their back/forward cache. */
  cacheControl = "no-store";
  /** Reports of violations, as the browser sent them. */
  readonly reports: string[] = [];
  readonly #server: Origin;

  private constructor(server: Origin, directory: string) {
    const files = new StaticFiles(directory);
    this.#server = server;
    server.answer = (response, request) => {
      if (files.answer(request, response, this.#policy(), this.cacheControl)) return;
      if (request.url === "/blank") {
        response
          .writeHead(200, { "content-type": "text/html" })
          .end('<!doctype html><link rel="icon" href="data:," />');
        return;
      }
      const isReport = request.url === "/csp-report";
      if (isReport) this.reports.push(request.body.toString());
      response.writeHead(isReport ? 204 : 404).end();
    };
  }

  static async start(directory: string): Promise<PageServer> {
    return new PageServer(await Origin.start(), directory);
  }

  get origin(): string {
    return this.#server.url;
  }

  async close(): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
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
      // The test page uses this policy for the URL of its worker. The SDK needs no policy.
      "trusted-types e2e-worker",
      "report-uri /csp-report",
    ].join("; ");
  }
}
