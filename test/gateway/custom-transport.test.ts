import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { GatewayEvent } from "../../src/gateway.ts";
import type { Connection, ConnectionReceiver, Transport } from "../../src/transport/transport.ts";
import { AsyncQueue } from "../support/async-queue.ts";
import { ORIGIN, PROTOCOLS, startGateway } from "../support/gateway.ts";

const fail = (): never => {
  throw new Error("a bug in the transport");
};

/** A connection that sends back what it gets, save for what is broken. */
function echo(broken: (receiver: () => ConnectionReceiver) => Partial<Connection>): Connection {
  let receiver: ConnectionReceiver = { onFrame() {}, onEnd() {} };
  return {
    isOpen: true,
    start(given) {
      receiver = given;
    },
    send: (frame) => receiver.onFrame(frame),
    close: async () => {},
    ...broken(() => receiver),
  };
}

const flow = (broken: object): Partial<Connection> => ({
  flow: { queuedBytes: 2 ** 30, pause() {}, resume() {}, drained: async () => {}, ...broken },
});

describe("a custom transport ends its own page only, with 4001, if", () => {
  test.each<[string, Partial<Connection>]>([
    ["start() throws", { start: fail }],
    ["send() throws", { send: fail }],
    ["drained() rejects", flow({ drained: () => Promise.reject(new Error("a bug")) })],
    ["drained() throws", flow({ drained: fail })],
    ["ping() rejects", { ping: () => Promise.reject(new Error("a bug")) }],
    ["ping() throws", { ping: fail }],
  ])("%s", async (_, broken) => {
    const events = new AsyncQueue<GatewayEvent>();
    let isBroken = false;
    const transport: Transport = {
      reconnectable: true,
      connect: async () => echo(() => (isBroken ? broken : {})),
    };
    await using gateway = await startGateway(transport, {
      heartbeatMs: 100,
      onEvent: (event) => void (event.type === "closed" && events.push(event)),
    });
    const healthy = new WebSocket(gateway.url, PROTOCOLS, { origin: ORIGIN });
    await once(healthy, "open");
    healthy.send("first");
    await once(healthy, "message");
    isBroken = true;
    const page = new WebSocket(gateway.url, PROTOCOLS, { origin: ORIGIN });
    await once(page, "open");
    page.send("{}");
    expect((await once(page, "close"))[0]).toBe(4001);
    expect(await events.next()).toMatchObject({
      reason: "upstream-ended",
      error: { message: expect.stringContaining("a bug") },
    });
    healthy.send("still here");
    expect(String((await once(healthy, "message"))[0])).toBe("still here");
  });

  test.each<[string, Partial<Connection>]>([
    ["throws", { close: fail }],
    ["rejects", { close: () => Promise.reject(new Error("a bug")) }],
  ])("close() %s at the end of the page", async (_, broken) => {
    const events = new AsyncQueue<GatewayEvent>();
    const transport: Transport = { reconnectable: true, connect: async () => echo(() => broken) };
    await using gateway = await startGateway(transport, {
      onEvent: (event) => void (event.type === "closed" && events.push(event)),
    });
    const page = new WebSocket(gateway.url, PROTOCOLS, { origin: ORIGIN });
    await once(page, "open");
    page.send("{}");
    await once(page, "message");
    page.close();
    expect(await events.next()).toMatchObject({ reason: "page" });
  });

  test("connect() throws", async () => {
    await using gateway = await startGateway({ reconnectable: true, connect: fail });
    const page = new WebSocket(gateway.url, PROTOCOLS, { origin: ORIGIN });
    expect((await once(page, "close"))[0]).toBe(4002);
  });
});
