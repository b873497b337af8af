import { createServer, type Server } from "node:http";
import type { ListenTarget } from "../http-server.ts";
import type { Readiness } from "../readiness.ts";

/** Serves `/livez`, `/readyz` and `/metrics` on an address of their own. */
export async function startAdminServer(
  target: ListenTarget,
  readiness: Readiness,
  metrics: () => Promise<string>,
): Promise<Server> {
  const server = createServer(async (request, response) => {
    if (request.url === "/metrics") {
      response.setHeader("content-type", "text/plain; version=0.0.4; charset=utf-8");
      response.end(await metrics());
      return;
    }
    const answer = await readiness.answer(request);
    response.writeHead(answer?.status ?? 404).end(answer?.text);
  });
  await new Promise<void>((resolve, reject) => {
    const where = "socketPath" in target ? { path: target.socketPath } : target;
    server.once("error", reject).listen(where, resolve);
  });
  server.on("error", () => {});
  return server;
}
