import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type ServerOptions } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createGateway, GATEWAY_PROTOCOL } from "exec-server-sdk/gateway";
import { webSocket } from "exec-server-sdk/node";
import { type Actions, answer, answerApi } from "./api.ts";
import { previewActions } from "./preview/api.ts";
import { Previews } from "./preview/previews.ts";
import { type DemoExecServer, serverActions } from "./server-actions.ts";
import { StaticFiles } from "./static-files.ts";

const GATEWAY_PATH = "/exec-server";

/** Limits of a request, also of one for a preview. A response and a WebSocket may last for as long as they like. */
const LIMITS: ServerOptions = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  // The whole of it, its body included.
  requestTimeout: 300_000,
  connectionsCheckingInterval: 5_000,
};

export interface IdeServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves the page's files, the gateway and the API of the demo on one port of 127.0.0.1, and on the same port each opened
 * port of the exec-server's machine below a name of its own.
 *
 * Every local browser gets access, which is acceptable for a demo on your own machine. In an application, `authorize`
 * and the API check the session of a signed-in user, and the exec-server runs in a sandbox.
 */
export async function startIdeServer(
  execServer: DemoExecServer,
  root: string,
  limits: ServerOptions = LIMITS,
): Promise<IdeServer> {
  const files = new StaticFiles(join(import.meta.dirname, "../dist"));
  const server = createServer(limits);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const host = `127.0.0.1:${port}`;
  const origin = `http://${host}`;

  const token = randomBytes(32).toString("base64url");
  const gateway = createGateway({
    upstream: webSocket(() => execServer.url),
    allowedOrigins: [origin],
    allowedHosts: [host],
    authorize: { token },
    path: GATEWAY_PATH,
  });
  const previews = new Previews({
    transport: webSocket(() => execServer.url),
    authority: `localhost:${port}`,
    embedder: origin,
    reservedPorts: () => [port, portOf(new URL(execServer.url))],
    // This IDE has no cookies. Name yours: one with a Domain can reach the hosts of previews.
    withheldCookies: [],
  });

  const policy = contentSecurityPolicy(port);
  const actions: Actions = {
    // The page fetches these before every dial. No other origin can read the response.
    "GET /api/connection": () => ({
      url: `ws://${host}${GATEWAY_PATH}`,
      protocols: [GATEWAY_PROTOCOL, token],
    }),
    "GET /api/workspace": () => ({ root }),
    ...serverActions(execServer),
    ...previewActions(previews.registry),
  };

  // Listens to nothing itself: it gets what is not for a preview, so that the gateway never sees the rest.
  const ide = createServer((request, response) => {
    // Rejects a foreign name that resolves to this address (DNS rebinding).
    const hosts = request.headersDistinct["host"] ?? [];
    if (hosts.length !== 1 || hosts[0] !== host) return answer(response, 403);
    if (files.answer(request, response, policy)) return;
    void answerApi(actions, request, response);
  });
  gateway.attach(ide);

  server.on("request", (request, response) => {
    if (previews.owns(request)) previews.answer(request, response);
    else ide.emit("request", request, response);
  });
  server.on("upgrade", (request, socket, head) => {
    if (previews.owns(request)) previews.upgrade(request, socket, head);
    else ide.emit("upgrade", request, socket, head);
  });

  return {
    url: origin,
    close: async () => {
      await Promise.all([gateway.close(), previews.close()]);
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** The default port of a scheme is not part of a URL. */
function portOf({ port, protocol }: URL): number {
  return Number(port || (protocol === "wss:" ? 443 : 80));
}

function contentSecurityPolicy(port: number): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    // xterm.js adds style elements for sizes and colours and style attributes for true-colour text, without support for
    // a nonce. CodeMirror adds one style element and supports a nonce. Without a terminal, 'self' and a nonce suffice.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self'",
    `connect-src 'self' ws://127.0.0.1:${port}`,
    `frame-src http://*.localhost:${port}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
}
