import { AsyncLocalStorage } from "node:async_hooks";
import { expect, it } from "vitest";
import { LazyExecServerClient, type TraceContext } from "../../src/index.ts";
import { connectedTo, QuietServer, ready } from "../support/scripted-server.ts";

const traceOf = (n: number): TraceContext => ({
  traceparent: `00-${"a".repeat(32)}-${String(n).padStart(16, "0")}-01`,
});

it.each(["shared", "own"] as const)(
  "traceContext is called in the context of each call, also of those that connect or queue (%s)",
  async (fetchConnection) => {
    const server = ready(new QuietServer());
    server.handle("fs/canonicalize", ({ params }) => ({ path: params.path }));
    server.handle("http/request", () => ({ status: 204, headers: [], bodyBase64: "" }));
    const current = new AsyncLocalStorage<TraceContext>();
    await using client = new LazyExecServerClient({
      transport: server.transport,
      traceContext: () => current.getStore(),
      fetchConnection,
    });
    // More than the places of a connection, and the first ones make it.
    await Promise.all(
      Array.from({ length: 400 }, (_, n) =>
        current.run(traceOf(n), async () => {
          if (n % 2 === 0) await client.call("fs/canonicalize", { path: `file:///${n}`, sandbox: null });
          else await client.fetch(`http://origin.test/${n}`);
        }),
      ),
    );
    const requests = server.connections
      .flatMap(({ received }) => received)
      .filter(({ method }) => method === "fs/canonicalize" || method === "http/request");
    expect(requests).toHaveLength(400);
    for (const { params, trace } of requests as unknown as {
      params: { path?: string; url?: string };
      trace?: TraceContext;
    }[]) {
      const n = Number(/\d+$/.exec(params.path ?? params.url ?? "")?.[0]);
      expect(trace).toEqual(traceOf(n));
    }
    server.close();
  },
);

it("an abort by traceContext rejects the call, which is not sent", async () => {
  const controller = new AbortController();
  let aborts = false;
  await using t = await connectedTo(ready(new QuietServer()), {
    traceContext: () => {
      if (aborts) controller.abort("enough");
      return undefined;
    },
  });
  aborts = true;
  const call = t.client.call("no/answer", {}, { signal: controller.signal });
  expect(await call.catch((reason: unknown) => reason)).toBe("enough");
  await t.client.status();
  expect(t.server.requests("no/answer")).toEqual([]);
});
