import { LazyExecServerClient } from "../../../dist/index.js";
import { webSocket } from "../../../dist/node.js";
import { ExecServer } from "../../support/exec-server.ts";
import { HandWrittenClient } from "../hand-written.ts";
import type { Case } from "./case.ts";

export const reconnect: Case = {
  name: "the first call after the server was killed and started again",
  unit: ["ms", "call"],
  amount: 1,
  turns: 15,
  goal: { speed: 0.9 },
  isLatency: true,
  rounds: async (clients) => {
    // A dedicated server, because the other cases keep using the shared one.
    const server = await ExecServer.start();
    const client = new LazyExecServerClient({ transport: webSocket(server.url) });
    await client.get();
    clients.onEnd(async () => {
      await client.close();
      await server[Symbol.asyncDispose]();
    });
    return {
      SDK: () => afterRestart(server, () => client.status()),
      "hand-written": () =>
        afterRestart(server, async () => {
          const byHand = await HandWrittenClient.connect(server.url);
          await byHand.call("environment/status", null);
          byHand.close();
        }),
    };
  },
};

async function afterRestart(server: ExecServer, call: () => Promise<unknown>): Promise<number> {
  await server.restart();
  const start = performance.now();
  await call();
  return performance.now() - start;
}
