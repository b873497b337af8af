import { once } from "node:events";
import { MessageChannel } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import type { GatewayOptions } from "../../src/gateway.ts";
import {
  bridge,
  ExecServerClient,
  messagePort,
  webSocket as rootWebSocket,
  type Transport,
} from "../../src/index.ts";
import { deferred } from "../../src/internal/deferred.ts";
import { webSocket } from "../../src/node.ts";
import { failureOf } from "../support/failure.ts";
import {
  ORIGIN,
  pageTransport,
  startGateway,
  startRealGateway,
  TOKEN,
  unreachable,
} from "../support/gateway.ts";
import {
  clientFrame,
  closeCodeIn,
  closed,
  rawSocket,
  requestRefusal,
  requestText,
  requestUpgrade,
} from "../support/upgrade-request.ts";

const WRONG = ["exec-server-gateway", "a-wrong-token-of-32-characters.."];
const connect = (transport: Transport) => ExecServerClient.connect({ transport });

/** The ways of a client to the gateway. */
const ROADS: readonly (readonly [string, (url: string, protocols: string[]) => Promise<unknown>])[] = [
  ["the node entry", (url, protocols) => failureOf(connect(pageTransport(url, protocols)))],
  [
    "the root entry",
    (url, protocols) => {
      const transport = rootWebSocket(url, { protocols, headers: { origin: ORIGIN } });
      return failureOf(connect(transport));
    },
  ],
  [
    "a message port",
    async (url, protocols) => {
      const { port1, port2 } = new MessageChannel();
      const running = bridge(port2, webSocket(url, { protocols, headers: { origin: ORIGIN } }));
      const failure = await failureOf(connect(messagePort(port1)));
      await running.close();
      return failure;
    },
  ],
];

const CASES: readonly (readonly [string, number, string, Partial<GatewayOptions>, string[]])[] = [
  ["a wrong token", 4401, "the gateway refused the token", {}, WRONG],
  [
    "a failed check",
    4500,
    "the gateway could not check the token",
    { authorize: () => Promise.reject(new Error("secret")) },
    WRONG,
  ],
  [
    "an expired session",
    4408,
    "the gateway ended the session, which had expired or was idle",
    { authorize: () => ({ user: "ada", expiresAt: 1 }) },
    WRONG,
  ],
];

describe.each(ROADS)("through %s", (_, failureThrough) => {
  test.each(CASES)(
    "the error for %s has %i and says: %s",
    async (_name, closeCode, sentence, options, protocols) => {
      await using gateway = await startGateway(unreachable(), options);
      const error = await failureThrough(gateway.url, protocols);
      expect(error).toMatchObject({
        code: "ERR_CONNECT",
        closeCode,
        message: expect.stringContaining(sentence),
      });
    },
  );

  test("the error of a full gateway has 4503 and says so", async () => {
    await using gateway = await startRealGateway({ maxConnections: 1 });
    await using _first = await gateway.connect();
    const error = await failureThrough(gateway.url, ["exec-server-gateway", TOKEN]);
    expect(error).toMatchObject({ closeCode: 4503, message: expect.stringContaining("the gateway is full") });
  });
});

test("a refused page that does not hang up is no page, nothing it sends is passed on, and it is cut off in a second", async () => {
  const upstream = unreachable();
  await using gateway = await startGateway(upstream);
  const socket = await rawSocket(gateway.port);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.write(requestText(gateway.port, { headers: { "Sec-WebSocket-Protocol": WRONG.join(", ") } }));
  await once(socket, "data");
  expect([...gateway.gateway.pages]).toEqual([]);
  const started = performance.now();
  socket.write(clientFrame(0x81, "{}"));
  const flood = setInterval(() => socket.write(clientFrame(0x81, "x".repeat(10_000))), 5);
  await closed(socket);
  clearInterval(flood);
  expect(performance.now() - started).toBeLessThan(2_500);
  expect(closeCodeIn(Buffer.concat(chunks))).toBe(4401);
  expect(upstream.dials).toBe(0);
});

describe("maxHandshakes", () => {
  test("bounds the checks under way: further requests get 503 without a check", async () => {
    const called = deferred<void>();
    const admitted = deferred<boolean>();
    let calls = 0;
    await using gateway = await startGateway(unreachable(), {
      maxHandshakes: 3,
      authorize() {
        if (++calls === 3) called.resolve();
        return admitted.promise;
      },
    });
    const pending = [1, 2, 3].map(() => requestRefusal(gateway.port, {}));
    await called.promise;
    const statuses = await Promise.all([1, 2, 3, 4].map(() => requestUpgrade(gateway.port, {})));
    expect(statuses.map(({ status }) => status)).toEqual([503, 503, 503, 503]);
    expect(calls).toBe(3);
    admitted.resolve(false);
    expect((await Promise.all(pending)).map(({ status }) => status)).toEqual([4401, 4401, 4401]);
    expect((await requestRefusal(gateway.port, {})).status).toBe(4401);
  });

  test("bounds refused pages that do not hang up, and never keeps the right token out", async () => {
    await using gateway = await startRealGateway({ maxHandshakes: 2 });
    const wrong = { headers: { "Sec-WebSocket-Protocol": WRONG.join(", ") } };
    const lingering = await Promise.all([1, 2].map(() => rawSocket(gateway.port)));
    for (const socket of lingering) {
      socket.write(requestText(gateway.port, wrong));
      await once(socket, "data");
    }
    expect((await requestUpgrade(gateway.port, wrong)).status).toBe(503);
    await using client = await gateway.connect();
    expect(await client.status()).toEqual({ status: "ready" });
    await Promise.all(lingering.map(closed));
  });

  test("lets a check take the place of a refused page that does not hang up", async () => {
    await using gateway = await startRealGateway({
      maxHandshakes: 1,
      authorize: ({ headers }) => headers.cookie === "right",
    });
    const socket = await rawSocket(gateway.port);
    socket.write(requestText(gateway.port, {}));
    await once(socket, "data");
    const headers = { origin: ORIGIN, cookie: "right" };
    await using client = await connect(webSocket(gateway.url, { headers }));
    expect(await client.status()).toEqual({ status: "ready" });
    await closed(socket);
  });
});

test("failed logins are answered later and later, the right token at once", async () => {
  await using gateway = await startRealGateway({ maxHandshakes: 1_000 });
  const wrong = { headers: { "Sec-WebSocket-Protocol": WRONG.join(", ") } };
  let answered = 0;
  const guesses = Array.from({ length: 30 }, async () => {
    const { status } = await requestRefusal(gateway.port, wrong);
    answered++;
    return status;
  });
  await expect.poll(() => answered).toBeGreaterThanOrEqual(10);
  await using client = await gateway.connect();
  expect(await client.status()).toEqual({ status: "ready" });
  expect(answered).toBeLessThan(20);
  expect(new Set(await Promise.all(guesses))).toEqual(new Set([4401]));
});
