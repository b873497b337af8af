/**
 * A gateway attached to an existing HTTP server. Only logged-in pages of that server reach an exec-server. Other
 * requests are served as before.
 *
 *   npm start
 *
 * Behind TLS, pages connect to `wss://` and the origin is `https://`; the cookie should then be `Secure`, too.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { createGateway } from "exec-server-sdk/gateway";
import { stdio } from "exec-server-sdk/node";

const [command = "codex"] = process.argv.slice(2);

const logins = new Set<string>();
const loginOf = ({ headers }: IncomingMessage): string | undefined =>
  /(?:^|; )login=([^;]+)/.exec(headers.cookie ?? "")?.[1];

const httpServer = createServer((request, response) => {
  if (request.url === "/login") {
    const login = randomUUID();
    logins.add(login);
    response.setHeader("set-cookie", `login=${login}; HttpOnly; SameSite=Strict; Path=/`);
  }
  response.end("an HTTP server that is there already\n");
});
httpServer.listen(0, "127.0.0.1");
await once(httpServer, "listening");
const origin = `http://127.0.0.1:${(httpServer.address() as AddressInfo).port}`;

const gateway = createGateway({
  // Starts one server per page, which ends with the page. Use `webSocket(url)` for a server that runs elsewhere.
  upstream: stdio({ command, args: ["exec-server", "--listen", "stdio", "--concurrent-requests", "8"] }),
  allowedOrigins: [origin],
  allowedHosts: ["127.0.0.1"],
  authorize: (request) => logins.has(loginOf(request) ?? ""),
  path: "/exec",
  onEvent: ({ type, reason, address }) => console.log(`page ${type} from ${address} ${reason ?? ""}`),
});
gateway.attach(httpServer);
console.log(
  `log in at ${origin}/login; a page of ${origin} then reaches ${origin.replace("http", "ws")}/exec`,
);

process.once("SIGINT", async () => {
  await gateway.close({ graceMs: 1_000 });
  httpServer.close();
});
