import { once } from "node:events";
import { expect } from "@playwright/test";
import { startIdeServer } from "../../examples/web-ide/server/ide-server.ts";
import { Origin } from "../../test/support/origin.ts";
import { TcpPeer } from "../../test/support/tcp-peer.ts";
import { PlainWebSocketServer } from "../../test/support/websocket-server.ts";
import { api, openPreview, type TestPreview, test } from "./preview.ts";

const portOf = (url: string): number => Number(new URL(url).port);
// Not half-open: where bytes arrive together with a reset, Node reports an end.
const CLOSING = { allowHalfOpen: false };

/** A dev server that answers whatever it gets, and leaves its connections open. */
async function answering(answer: string | (() => string)): Promise<TcpPeer> {
  const peer = await TcpPeer.listen(CLOSING);
  void (async () => {
    for (;;) {
      const socket = await peer.accept();
      socket.once("data", () => socket.write(typeof answer === "string" ? answer : answer()));
      socket.resume();
    }
  })();
  return peer;
}

const head = (preview: TestPreview): string => `Host: ${preview.host}\r\nCookie: ${preview.cookie}\r\n`;
const handshake = (preview: TestPreview, path = "/"): string =>
  [
    `GET ${path} HTTP/1.1`,
    `${head(preview)}Origin: ${preview.origin}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
  ].join("\r\n");

/** Everything that a connection of a browser gets which stays until the server closes it. */
async function exchange(preview: TestPreview, request: string): Promise<string> {
  const socket = preview.socket();
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk;
  });
  socket.write(request);
  await once(socket, "close");
  return text;
}

test("no status of a dev server is too low: what is not a response is shown as none", async ({ open }) => {
  let answer = "";
  await using peer = await answering(() => answer);
  const preview = await open(peer.port);
  for (const [first, webSocket] of [
    ["000 X\r\nContent-Length: 2\r\n\r\nok", 502],
    ["099 X\r\nContent-Length: 0\r\n\r\n", 502],
    ["101 X\r\n\r\nok", 502],
    ["101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nok", 101],
  ] as const) {
    answer = `HTTP/1.1 ${first}`;
    expect(await preview.read("/")).toEqual([502, expect.stringContaining("gave no valid answer")]);
    expect(await preview.raw(handshake(preview))).toBe(webSocket);
  }
  await expect.poll(() => peer.size).toBe(0);
});

test("a body that breaks in the packet of its head is neither a page of the preview's nor whole", async ({
  open,
}) => {
  let answer = "HTTP/1.1 200 OK\r\nX-Theirs: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nZZ\r\n";
  await using peer = await answering(() => answer);
  const preview = await open(peer.port);
  await expect(preview.read("/")).rejects.toMatchObject({ code: "ECONNRESET" });
  answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  expect(await preview.read("/")).toEqual([200, "ok"]);
});

test("a handshake that the dev server refuses ends with its status, and holds no place", async ({ open }) => {
  // It is never whole.
  await using peer = await answering(
    "HTTP/1.1 401 X\r\nSet-Cookie: a=b\r\nContent-Length: 100000\r\n\r\nbody",
  );
  const preview = await open(peer.port);
  for (let round = 0; round < 3; round++) {
    const answers = await Promise.all(
      Array.from({ length: 25 }, () => exchange(preview, handshake(preview))),
    );
    expect(answers).toEqual(
      Array(25).fill("HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"),
    );
  }
  await expect.poll(() => peer.size).toBe(0);
});

test("an upload that was answered early keeps no connection", async ({ open }) => {
  await using peer = await answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  const preview = await open(peer.port);
  const upload = `POST / HTTP/1.1\r\n${head(preview)}Content-Length: 1000000\r\n\r\nabc`;
  expect(await Promise.all(Array.from({ length: 40 }, () => preview.raw(upload)))).toEqual(
    Array(40).fill(200),
  );
  await expect.poll(() => peer.size).toBe(0);
  expect(await preview.read("/")).toEqual([200, "ok"]);
});

test("closes while the exec-server is stopped", async ({ execServer }) => {
  const ide = await startIdeServer(execServer, "/");
  await using peer = await answering("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
  const preview = await openPreview(ide, peer.port);
  const other = await openPreview(ide, peer.port + 1 < 65_536 ? peer.port + 1 : 1);
  const cut = (await preview.get("/")).body.resume();
  const ends: Promise<unknown>[] = [once(cut, "error")];
  process.kill(execServer.pid as number, "SIGSTOP");
  try {
    // One more of the first preview, and the first one of another: neither is ever made.
    for (const each of [preview, other]) {
      const socket = each.socket();
      socket.write(`GET / HTTP/1.1\r\n${head(each)}\r\n`);
      ends.push(once(socket.resume(), "close"));
    }
    const started = performance.now();
    expect((await api(ide, "DELETE", `/${preview.id}`)).status).toBe(200);
    const deleted = performance.now();
    await ide.close();
    expect(deleted - started).toBeLessThan(4_000);
    expect(performance.now() - deleted).toBeLessThan(4_000);
    await Promise.all(ends);
  } finally {
    process.kill(execServer.pid as number, "SIGCONT");
  }
});

test("an Upgrade header without a handshake is dropped, both ways", async ({ open }) => {
  await using origin = await Origin.start((response) => {
    response.setHeader("upgrade", "h2c");
    response.end();
  });
  const preview = await open(portOf(origin.url));
  const { status, headers } = await preview.get("/", { headers: { upgrade: "websocket" } });
  expect([status, headers["upgrade"], headers["connection"]]).toEqual([200, undefined, expect.any(String)]);
  expect(headers["connection"]).not.toMatch(/upgrade/i);
  const names = origin.latest.headers.map(([name]) => name.toLowerCase());
  expect(names).not.toContain("upgrade");
  expect(names).not.toContain("sec-websocket-key");
});

test("one preview has 32 WebSockets at most, and leaves the others theirs", async ({ open }) => {
  await using first = await PlainWebSocketServer.start();
  await using second = await PlainWebSocketServer.start();
  const preview = await open(portOf(first.url));
  const sockets = await Promise.all(Array.from({ length: 32 }, () => preview.webSocket()));
  expect(sockets.filter((socket) => typeof socket === "number")).toEqual([]);
  expect(await preview.webSocket()).toBe(503);
  const other = await (await open(portOf(second.url))).webSocket();
  for (const socket of [...sockets, other]) {
    if (typeof socket === "number") throw new Error(`refused with ${socket}`);
    socket.terminate();
  }
  await expect
    .poll(async () => {
      const socket = await preview.webSocket();
      if (typeof socket !== "number") socket.terminate();
      return typeof socket;
    })
    .toBe("object");
});

test("refuses tickets of handshakes, scripts of Service Workers and a second Host of the IDE", async ({
  ide,
  open,
}) => {
  await using origin = await Origin.start();
  const preview = await open(portOf(origin.url));
  expect(await preview.raw(handshake(preview, "/__preview?ticket=x"))).toBe(400);
  for (const headers of [{ "service-worker": "script" }, { "sec-fetch-dest": "serviceworker" }]) {
    expect((await preview.read("/worker.js", { headers }))[0]).toBe(403);
  }
  expect(origin.requests).toEqual([]);
  const { host } = new URL(ide.url);
  const request = "GET /api/workspace HTTP/1.1\r\nSec-Fetch-Site: same-origin\r\n";
  expect(await preview.raw(`${request}Host: ${host}\r\n\r\n`)).toBe(200);
  expect(await preview.raw(`${request}Host: ${host}\r\nHost: attacker.example\r\n\r\n`)).toBe(403);
});

test("the default port of the exec-server's URL is reserved as well", async ({ execServer }) => {
  const demo = { pid: undefined, kill: () => execServer.kill(), restart: () => execServer.restart() };
  for (const [url, port] of [
    ["ws://127.0.0.1:80", 80],
    ["wss://127.0.0.1", 443],
  ] as const) {
    const ide = await startIdeServer({ ...demo, url }, "/");
    expect((await api(ide, "POST", "", { port })).status).toBe(400);
    expect((await api(ide, "POST", "", { port: 8080 })).status).toBe(200);
    await ide.close();
  }
});
