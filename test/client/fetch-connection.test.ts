import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ExecServerClient, LazyExecServerClient, type TimelineEntry } from "../../src/index.ts";
import { webSocket } from "../../src/node/websocket.ts";
import type { TestConnection, TestRequest } from "../../src/testing.ts";
import { silence } from "../../src/testing.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { ExecServer } from "../support/exec-server.ts";
import { failureOf } from "../support/failure.ts";
import { readBody } from "../support/read-body.ts";
import { OK } from "../support/scripted-fetch.ts";
import { QuietServer, ready } from "../support/scripted-server.ts";

const TARGET = "http://origin.test/";
const MiB = 1024 * 1024;

/** A lazy client whose `fetch` has its own connection, on a scripted server that can be paused. */
function setUp(options: { reconnectable?: boolean; canPause?: boolean } = {}) {
  const { reconnectable = true, canPause = true } = options;
  const server = ready(new QuietServer());
  /** Whether the latest connection is paused. */
  const pauses: boolean[] = [];
  const transport: Transport = {
    reconnectable,
    async connect(context) {
      const connection = await server.transport.connect(context);
      const at = pauses.push(false) - 1;
      const flow = {
        pause() {
          pauses[at] = true;
        },
        resume() {
          pauses[at] = false;
        },
        queuedBytes: 0,
        drained: async () => {},
      };
      return {
        get isOpen() {
          return connection.isOpen;
        },
        start: (receiver) => connection.start(receiver),
        send: (frame) => connection.send(frame),
        close: () => connection.close(),
        flow: canPause ? flow : undefined,
      };
    },
  };
  const client = new LazyExecServerClient({ transport, fetchConnection: "own" });
  return {
    server,
    client,
    pauses,
    /** A response whose body the test sends, and the server's side of its connection. */
    async openBody(connectionNumber: number, n = 1, init = {}) {
      const fetching = client.fetch(TARGET, init);
      const connection = await server.connection(connectionNumber);
      const request = await connection.request("http/request", n);
      connection.answer(request, OK);
      return { response: await fetching, connection, request };
    },
    async [Symbol.asyncDispose]() {
      await client.close();
      server.close();
    },
  };
}

function sendPiece(
  connection: TestConnection,
  request: TestRequest<"http/request">,
  seq: number,
  bytes: number,
  done = false,
): void {
  const { requestId } = request.params;
  const deltaBase64 = Buffer.alloc(bytes, "x").toString("base64");
  connection.notify("http/request/bodyDelta", { requestId, seq, deltaBase64, done });
}

/** Resolves when the client has received everything that a connection has sent. */
async function delivered(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const outline = (entries: readonly TimelineEntry[]) =>
  entries.map(({ purpose = "main", previous, state, cause }) =>
    [purpose, previous, state, cause].filter(Boolean).join(" "),
  );

describe('fetchConnection: "own"', () => {
  it("makes the second connection with the first fetch, and closes both", async () => {
    await using t = setUp();
    const { sessionId } = await t.client.get();
    expect(t.server.connections).toHaveLength(1);
    const { response } = await t.openBody(2);
    await t.client.status();
    expect(t.server.connections[0]?.received.map(({ method }) => method)).toEqual([
      "initialize",
      "initialized",
      "environment/status",
    ]);
    expect(t.client.state).toBe("connected");
    expect((await t.client.get()).sessionId).toBe(sessionId);
    await t.client.close();
    expect(await failureOf(response.text())).toMatchObject({ code: "ERR_CLOSED" });
    expect(await failureOf(t.client.fetch(TARGET))).toMatchObject({ code: "ERR_CLOSED" });
    await Promise.all(t.server.connections.map(({ ended }) => ended));
    expect(t.server.connections).toHaveLength(2);
  });

  it("makes one second connection for concurrent fetches", async () => {
    await using t = setUp();
    const fetching = Array.from({ length: 10 }, () => t.client.fetch(TARGET));
    const connection = await t.server.connection();
    for (let n = 1; n <= 10; n++) connection.answer(await connection.request("http/request", n), OK);
    await Promise.all(fetching);
    expect(t.server.connections).toHaveLength(1);
    expect(t.client.state).toBe("idle");
  });

  it("shares the connection of a transport that connects once", async () => {
    await using t = setUp({ reconnectable: false });
    await t.client.get();
    await t.openBody(1);
    expect(t.server.connections).toHaveLength(1);
  });

  it("makes no connection after close()", async () => {
    await using t = setUp();
    await t.client.close();
    expect(await failureOf(t.client.fetch(TARGET))).toMatchObject({
      code: "ERR_CLOSED",
      delivery: "not-sent",
    });
    expect(t.server.connections).toHaveLength(0);
    expect(outline(t.client.timeline)).toEqual(["main idle closed"]);
  });

  it("is refused by ExecServerClient.connect() with a hint, and for another value", async () => {
    const { transport } = new QuietServer();
    const options = { transport, fetchConnection: "own" } as { transport: Transport };
    expect(await failureOf(ExecServerClient.connect(options))).toMatchObject({
      code: "ERR_UNSUPPORTED",
      message: expect.stringContaining("fetchConnection"),
    });
    expect(() => new LazyExecServerClient({ transport, fetchConnection: "mine" as "own" })).toThrow(
      'LazyExecServerClient(): fetchConnection must be "shared" or "own", got a string',
    );
    new LazyExecServerClient({ transport, fetchConnection: undefined });
  });
});

describe("an own connection whose requests were all abandoned", () => {
  it("ends, and the next fetch makes a fresh one", async () => {
    await using t = setUp();
    const controller = new AbortController();
    const outcomes = [1, 2].map(() => failureOf(t.client.fetch(TARGET, controller)));
    const first = await t.server.connection(1);
    await first.request("http/request", 2);
    controller.abort("enough");
    expect(await Promise.all(outcomes)).toEqual(["enough", "enough"]);
    await first.ended;
    const { response, connection, request } = await t.openBody(2);
    sendPiece(connection, request, 1, 3, true);
    expect(await response.text()).toBe("xxx");
    expect(outline(t.client.timeline)).toEqual([
      "fetch idle connecting first-use",
      "fetch connecting connected",
      "fetch connected disconnected",
      "fetch disconnected connecting reconnect",
      "fetch connecting connected",
    ]);
    expect(t.client.timeline[2]).toMatchObject({
      closedBy: "client",
      error: { message: expect.stringContaining("every fetch on it was aborted or cancelled") },
    });
  });

  it("stays while one of them is live, and ends after that one", async () => {
    await using t = setUp();
    const { response, connection, request } = await t.openBody(1);
    const controller = new AbortController();
    const aborted = failureOf(t.client.fetch(TARGET, controller));
    await connection.request("http/request", 2);
    controller.abort("enough");
    await aborted;
    sendPiece(connection, request, 1, 3);
    await delivered();
    expect(connection.isOpen).toBe(true);
    sendPiece(connection, request, 2, 2, true);
    expect(await response.text()).toBe("xxxxx");
    await connection.ended;
  });

  it.each<[string, (response: Response) => Promise<unknown>]>([
    ["cancelled", async ({ body }) => await body?.cancel()],
    [
      "cancelled after a piece",
      async ({ body }) => {
        for await (const _ of body ?? []) break;
      },
    ],
  ])("ends with a body that was %s", async (_, cancel) => {
    await using t = setUp();
    const { response, connection, request } = await t.openBody(1);
    sendPiece(connection, request, 1, 3);
    await cancel(response);
    await connection.ended;
  });

  it("ends with a body that exceeded its limit", async () => {
    await using t = setUp({ canPause: false });
    const { response, connection, request } = await t.openBody(1, 1, { maxBufferedBytes: 2 });
    sendPiece(connection, request, 1, 3);
    await connection.ended;
    expect(await readBody(response)).toEqual({
      pieces: ["xx"],
      error: expect.objectContaining({ code: "ERR_OVERFLOW", operation: "fetch" }),
    });
  });

  it("stays after responses that were read, had no body, or were refused", async () => {
    await using t = setUp();
    const { response, connection, request } = await t.openBody(1);
    sendPiece(connection, request, 1, 3, true);
    await response.text();
    await t.openBody(1, 2, { method: "HEAD" });
    const refused = failureOf(t.client.fetch(TARGET));
    connection.refuse(await connection.request("http/request", 3), -32603, "no route");
    expect(await refused).toMatchObject({ code: "ERR_SERVER" });
    expect(await failureOf(t.client.fetch("nonsense"))).toMatchObject({ code: "ERR_INVALID_ARGUMENT" });
    await delivered();
    expect(connection.isOpen).toBe(true);
  });

  it("ends although requests are queued behind them, and these go to the fresh one", async () => {
    await using t = setUp();
    const controllers = Array.from({ length: 128 }, () => new AbortController());
    const outcomes = controllers.map((controller) => failureOf(t.client.fetch(TARGET, controller)));
    const first = await t.server.connection(1);
    await first.request("http/request", 128);
    const queued = t.client.fetch(TARGET);
    await delivered();
    for (const controller of controllers) controller.abort("enough");
    await Promise.all(outcomes);
    const second = await t.server.connection(2);
    second.answer(await second.request("http/request"), OK);
    expect((await queued).status).toBe(200);
    expect(first.received.filter(({ method }) => method === "http/request")).toHaveLength(128);
  });
});

describe("an own connection with one unread body", () => {
  it("is paused above 1 MiB whatever maxBufferedBytes is, and continues while it is read", async () => {
    await using t = setUp();
    const { response, connection, request } = await t.openBody(1, 1, { maxBufferedBytes: 2 * MiB });
    sendPiece(connection, request, 1, MiB);
    await delivered();
    expect(t.pauses).toEqual([false]);
    // The frames that were under way when it was paused.
    for (let seq = 2; seq <= 5; seq++) sendPiece(connection, request, seq, MiB);
    await delivered();
    expect(t.pauses).toEqual([true]);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    for (let n = 1; n <= 4; n++) await reader.read();
    expect(t.pauses).toEqual([true]);
    await reader.read();
    expect(t.pauses).toEqual([false]);
    sendPiece(connection, request, 6, 1, true);
    expect(await reader.read()).toMatchObject({ value: { length: 1 } });
    expect(await reader.read()).toMatchObject({ done: true });
  });

  it("is paused above a smaller maxBufferedBytes", async () => {
    await using t = setUp();
    const { connection, request } = await t.openBody(1, 1, { maxBufferedBytes: 10 });
    sendPiece(connection, request, 1, 11);
    await delivered();
    expect(t.pauses).toEqual([true]);
  });

  it("continues with a further fetch; the body then falls back to maxBufferedBytes", async () => {
    await using t = setUp();
    const { response, connection, request } = await t.openBody(1, 1, { maxBufferedBytes: 10 });
    sendPiece(connection, request, 1, 11);
    await delivered();
    const second = await t.openBody(1, 2);
    expect(t.pauses).toEqual([false]);
    sendPiece(connection, request, 2, 1);
    sendPiece(connection, second.request, 1, 3, true);
    expect(await second.response.text()).toBe("xxx");
    expect(await readBody(response)).toEqual({
      pieces: ["x".repeat(11)],
      error: expect.objectContaining({ code: "ERR_OVERFLOW" }),
    });
    expect(t.pauses).toEqual([false]);
  });

  it("is paused no longer when the body is cancelled or the client is closed", async () => {
    await using t = setUp();
    const first = await t.openBody(1, 1, { maxBufferedBytes: 10 });
    sendPiece(first.connection, first.request, 1, 11);
    await delivered();
    await first.response.body?.cancel();
    expect(t.pauses).toEqual([false]);
    const second = await t.openBody(2, 1, { maxBufferedBytes: 10 });
    sendPiece(second.connection, second.request, 1, 11);
    await delivered();
    expect(t.pauses).toEqual([false, true]);
    await t.client.close();
    expect(t.pauses).toEqual([false, false]);
  });
});

describe("fetch on the real server", () => {
  let server: ExecServer;
  let origin: string;
  let closeOrigin: () => void;
  beforeAll(async () => {
    // Without --concurrent-requests: it works through the requests of a connection one by one.
    server = await ExecServer.start();
    const http = createServer(({ url }, response) => {
      if (url === "/hang") return;
      if (url !== "/large") return void response.end("small");
      const chunk = Buffer.alloc(MiB, "x");
      let left = 20;
      const write = (): void => {
        while (left-- > 0) if (!response.write(chunk)) return void response.once("drain", write);
        response.end();
      };
      write();
    });
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    closeOrigin = () => {
      http.closeAllConnections();
      http.close();
    };
  });
  afterAll(async () => {
    closeOrigin();
    await server[Symbol.asyncDispose]();
  });
  const lazyClient = () =>
    new LazyExecServerClient({ transport: webSocket(server.url), fetchConnection: "own" });

  it("holds up no other operation, and its aborted requests hold up no later one", async () => {
    await using client = lazyClient();
    for (let n = 0; n < 5; n++) {
      const hanging = failureOf(client.fetch(`${origin}/hang`, { signal: AbortSignal.timeout(50) }));
      expect(await client.run(["echo", "hi"])).toMatchObject({ stdout: "hi\n" });
      expect(await hanging).toMatchObject({ name: "TimeoutError" });
    }
    expect(await (await client.fetch(origin)).text()).toBe("small");
  });

  it("reads a body of any size slowly, far beyond maxBufferedBytes", async () => {
    await using client = lazyClient();
    const response = await client.fetch(`${origin}/large`, { maxBufferedBytes: MiB });
    let length = 0;
    for await (const chunk of response.body ?? []) {
      length += chunk.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(length).toBe(20 * MiB);
  });

  it("after the server was killed, both connections are replaced once, each with its own entries", async () => {
    await using own = await ExecServer.start({ args: ["--concurrent-requests", "8"] });
    await using client = new LazyExecServerClient({
      transport: webSocket(own.url),
      fetchConnection: "own",
      keepAlive: true,
    });
    const before = await client.get();
    const hanging = failureOf(client.fetch(`${origin}/hang`));
    await (await client.fetch(origin)).text();
    await own.kill();
    await before.disconnected;
    expect(await hanging).toMatchObject({ code: "ERR_DISCONNECTED", operation: "fetch" });
    await own.restart();
    await Promise.all([
      client.run(["true"]),
      client.run(["true"]),
      client.fetch(origin),
      client.fetch(origin),
    ]);
    await client.close();
    const ofPurpose = (purpose: "fetch" | undefined) =>
      outline(client.timeline.filter((entry) => entry.purpose === purpose)).map((line) =>
        line.replace(/^\w+ /, ""),
      );
    const changes = [
      "idle connecting first-use",
      "connecting connected",
      "connected disconnected",
      "disconnected connecting reconnect",
      "connecting connected",
      "connected closed",
    ];
    expect(ofPurpose(undefined)).toEqual(changes);
    expect(ofPurpose("fetch")).toEqual(changes);
    const sessions = new Set(client.timeline.map(({ sessionId }) => sessionId).filter(Boolean));
    expect(sessions.size).toBe(4);
  });
});

it("a shared connection of a scripted server keeps its aborted requests, and other calls are answered", async () => {
  const server = ready(new QuietServer());
  server.handle("http/request", () => silence);
  await using client = new LazyExecServerClient({ transport: server.transport });
  await client.get();
  for (let n = 0; n < 20; n++) {
    const controller = new AbortController();
    const aborted = failureOf(client.fetch(TARGET, controller));
    await delivered();
    controller.abort("enough");
    expect(await aborted).toBe("enough");
  }
  expect(await client.status()).toEqual({ status: "ready" });
  expect(await failureOf(client.fetch(TARGET))).toMatchObject({
    code: "ERR_OVERFLOW",
    operation: "fetch",
    message: expect.stringContaining('fetchConnection: "own"'),
  });
  server.close();
});
