import type { ClientOptions } from "../../src/index.ts";
import type { TestServer } from "../../src/testing.ts";
import { connectedTo, QuietServer, ready } from "./scripted-server.ts";

/** The head of a response, as the server sends it. */
export const OK = { status: 200, headers: [], bodyBase64: "" };

/** Answers every request with an empty head at once; the body is up to the test. */
function answersOk<Server extends TestServer>(server: Server): Server {
  server.handle("http/request", () => OK);
  return server;
}

/** A client, and the server's side of its requests, which the test plays. */
export async function scriptedFetch(
  server: TestServer = answersOk(ready(new QuietServer())),
  options: Partial<ClientOptions> = {},
) {
  const { client, connection, ...rest } = await connectedTo(server, options);
  return {
    ...rest,
    client,
    connection,
    url: "http://origin.test/",
    /** One piece of a body; `more` goes over what it would be. */
    delta(seq: number, text = "", more: object = {}, requestId = "http-1") {
      const deltaBase64 = Buffer.from(text).toString("base64");
      connection.notify("http/request/bodyDelta", { requestId, seq, deltaBase64, ...more });
    },
    /** Resolves when the client has seen all that was sent so far. */
    async seen() {
      await client.status();
    },
    requests: () => server.requests("http/request"),
  };
}
