import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createGateway, GATEWAY_PROTOCOL } from "exec-server-sdk/gateway";
import { webSocket } from "exec-server-sdk/node";
import { type DemoExecServer, serverActions } from "./server-actions.ts";
import { StaticFiles } from "./static-files.ts";

const GATEWAY_PATH = "/exec-server";

export interface IdeServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves the page's files, the gateway and the API of the demo on one port of 127.0.0.1.
 *
 * Every local browser gets access, which is acceptable for a demo on your own machine. In an application, `authorize`
 * checks the session of a signed-in user, and the exec-server runs in a sandbox.
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
    // The page fetches these before every dial. No other origin can read the response.
    "GET /api/connection": () => ({
      url: `ws://${host}${GATEWAY_PATH}`,
      protocols: [GATEWAY_PROTOCOL, token],
    }),
    "GET /api/workspace": () => ({ root }),
    ...serverActions(execServer),
  };

  server.on("request", async (request, response) => {
    // Rejects a foreign name that resolves to this address (DNS rebinding).
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

/** The browser sets this header. A page can not change it. */
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
    // xterm.js adds style elements for sizes and colours and style attributes for true-colour text, without support for
    // a nonce. CodeMirror adds one style element and supports a nonce. Without a terminal, 'self' and a nonce suffice.
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
