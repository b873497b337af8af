import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createGateway, GATEWAY_PROTOCOL } from "exec-server-sdk/gateway";
import { webSocket } from "exec-server-sdk/node";
import { StaticFiles } from "./static-files.ts";

const GATEWAY_PATH = "/exec-server";

/** The exec-server of the demo, which its page may kill and start again. */
export interface DemoExecServer {
  readonly url: string;
  readonly pid: number | undefined;
  kill(signal: "SIGKILL"): Promise<void>;
  restart(): Promise<void>;
}

export interface IdeServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * One port on 127.0.0.1 for everything the page needs: its files, the gateway, and the demo's own few requests.
 *
 * It trusts whoever can reach the loopback address with a browser: fine for a demo on a machine of one's own. In an
 * application, `authorize` looks at the session of a user who has signed in, and the exec-server runs in a sandbox.
 */
export async function startIdeServer(execServer: DemoExecServer, root: string): Promise<IdeServer> {
  const files = new StaticFiles(join(import.meta.dirname, "../dist"));
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const origin = `http://${host}`;

  const token = randomBytes(32).toString("base64url");
  const gateway = createGateway({
    upstream: webSocket(() => execServer.url),
    allowedOrigins: [origin],
    allowedHosts: [host],
    authorize: { token },
    path: GATEWAY_PATH,
  });
  gateway.attach(server);

  const policy = contentSecurityPolicy(host);
  const api: Readonly<Record<string, () => unknown>> = {
    // The page asks for these before every dial. No other origin can read the answer.
    "GET /api/connection": () => ({
      url: `ws://${host}${GATEWAY_PATH}`,
      protocols: [GATEWAY_PROTOCOL, token],
    }),
    "GET /api/workspace": () => ({ root }),
    "GET /api/server": () => ({ running: execServer.pid !== undefined }),
    "POST /api/server/kill": async () => {
      await execServer.kill("SIGKILL");
      return { running: false };
    },
    "POST /api/server/start": async () => {
      if (execServer.pid === undefined) await execServer.restart();
      return { running: true };
    },
  };

  server.on("request", async (request, response) => {
    // Another name that was made to lead here (DNS rebinding) is none of ours.
    if (request.headers.host !== host) return answer(response, 403);
    if (files.answer(request, response, policy)) return;
    const action = api[`${request.method} ${request.url}`];
    if (!action) return answer(response, 404);
    if (!isFromThePage(request)) return answer(response, 403);
    try {
      answer(response, 200, await action());
    } catch {
      answer(response, 500);
    }
  });

  return {
    url: origin,
    close: async () => {
      await gateway.close();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** A browser says itself whose request this is, and a page can't make it say something else. */
function isFromThePage({ headers }: IncomingMessage): boolean {
  return headers["sec-fetch-site"] === "same-origin";
}

function answer(response: ServerResponse, status: number, body: unknown = {}): void {
  response.writeHead(status, {
    "cache-control": "no-store",
    "content-type": "application/json",
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
  });
  response.end(JSON.stringify(body));
}

function contentSecurityPolicy(host: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    // xterm.js writes style elements for sizes and colours, and style attributes for true-colour text, and takes no
    // nonce. CodeMirror writes one style element and would take a nonce. Without a terminal, 'self' and a nonce do.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self'",
    `connect-src 'self' ws://${host}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
}
