import type { ClientOptions } from "../../src/index.ts";
import type { TestServer } from "../../src/testing.ts";
import { connectedTo, QuietServer, ready } from "./scripted-server.ts";

/** The head of a successful response. */
export const OK = { status: 200, headers: [], bodyBase64: "" };

/** Responds to every HTTP request with an empty head at once. The test sends the body. */
function answersOk<Server extends TestServer>(server: Server): Server {
  server.handle("http/request", () => OK);
  return server;
}

/** A client of a test server, and functions that send the deltas of a response body. */
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
    /** Sends one delta of a body; `overrides` replaces members of its params. */
    delta(seq: number, text = "", overrides: object = {}, requestId = "http-1") {
      const deltaBase64 = Buffer.from(text).toString("base64");
      connection.notify("http/request/bodyDelta", { requestId, seq, deltaBase64, ...overrides });
    },
    /** Resolves when the client has received everything sent so far. */
    async seen() {
      await client.status();
    },
    requests: () => server.requests("http/request"),
  };
}
