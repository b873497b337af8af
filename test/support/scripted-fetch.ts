import { ExecServerClient, webSocket } from "../../src/index.ts";
import { type Received, type Script, type ScriptedConnection, ScriptedServer } from "./scripted-server.ts";

/** The head of a response, as the server sends it. */
export const OK = { status: 200, headers: [], bodyBase64: "" };

/** Answers every request with an empty head at once; the body is up to the test. */
export const answersOk: Script = {
  onRequest(connection, request) {
    if (request.method === "http/request") connection.answer(request, OK);
    if (request.method === "environment/status") connection.answer(request, { status: "ready" });
  },
};

/** Answers everything but requests. */
export const answersLater: Script = {
  onRequest(connection, request) {
    if (request.method === "environment/status") connection.answer(request, { status: "ready" });
  },
};

/** A client, and the server's side of its requests, which the test plays. */
export async function scriptedFetch(script: Script = answersOk) {
  const server = await ScriptedServer.start(script);
  const client = await ExecServerClient.connect({ transport: webSocket(server.url) });
  const connection: ScriptedConnection = await server.connection();
  return {
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
    requests: (): Received[] => connection.received.filter(({ method }) => method === "http/request"),
    async [Symbol.asyncDispose]() {
      await client.close();
      await server[Symbol.asyncDispose]();
    },
  };
}
