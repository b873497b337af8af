import { once } from "node:events";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { stdio, webSocket } from "../../src/node.ts";
import { ORIGIN, PROTOCOLS, RecordingTransport, startGateway, startRealGateway } from "../support/gateway.ts";
import { unusedPort } from "../support/tcp-server.ts";

const answer = async (port: number, path = "/readyz") => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return `${response.status} ${await response.text()}`;
};

test("/readyz reaches the exec-server, and many requests share one dial", async () => {
  await using gateway = await startRealGateway();
  const answers = await Promise.all(Array.from({ length: 20 }, () => answer(gateway.port)));
  expect(new Set(answers)).toEqual(new Set(["200 ready\n"]));
  expect(gateway.upstream.dials).toBe(1);
  await expect.poll(() => gateway.upstream.open).toBe(0);
});

test("/readyz is 503 while the exec-server is down, and /livez is not", async () => {
  await using gateway = await startGateway(webSocket(`ws://127.0.0.1:${await unusedPort()}`));
  expect(await answer(gateway.port)).toBe("503 not ready: the exec-server can't be reached\n");
  expect(await answer(gateway.port, "/livez")).toBe("200 alive\n");
});

test("/readyz is 503 while the gateway is full", async () => {
  await using gateway = await startRealGateway({ maxConnections: 1 });
  const client = await gateway.connect();
  expect(await answer(gateway.port)).toBe("503 not ready: full\n");
  await client.close();
  await expect.poll(() => answer(gateway.port)).toBe("200 ready\n");
});

test("/readyz is 503 after the program of a command was not found, which it does not start itself", async () => {
  const upstream = stdio({ command: "/no/such/program" });
  await using gateway = await startGateway(upstream);
  expect(await answer(gateway.port)).toBe("200 ready\n");
  const page = new WebSocket(gateway.url, PROTOCOLS, { origin: ORIGIN });
  expect((await once(page, "close"))[0]).toBe(4002);
  expect(await answer(gateway.port)).toBe("503 not ready: the exec-server can't be reached\n");
});

test("/readyz does not judge exec-servers that are chosen for each page", async () => {
  const broken = new RecordingTransport({
    reconnectable: true,
    connect: () => Promise.reject(new Error("no")),
  });
  await using gateway = await startGateway(() => broken);
  const page = new WebSocket(gateway.url, PROTOCOLS, { origin: ORIGIN });
  expect((await once(page, "close"))[0]).toBe(4002);
  expect(await answer(gateway.port)).toBe("200 ready\n");
});

test("/readyz answers although a custom transport never closes", async () => {
  const never = (): Promise<void> => new Promise(() => {});
  await using gateway = await startGateway({
    reconnectable: true,
    connect: async () => ({ isOpen: true, start() {}, send() {}, close: never }),
  });
  expect(await answer(gateway.port)).toBe("200 ready\n");
});
