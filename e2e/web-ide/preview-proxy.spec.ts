import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { expect } from "@playwright/test";
import { startIdeServer } from "../../examples/web-ide/server/ide-server.ts";
import { passedCookies } from "../../examples/web-ide/server/preview/cookies.ts";
import { Origin } from "../../test/support/origin.ts";
import { TcpPeer } from "../../test/support/tcp-peer.ts";
import { unusedPort } from "../../test/support/tcp-server.ts";
import { PlainWebSocketServer } from "../../test/support/websocket-server.ts";
import { api, openPreview, test } from "./preview.ts";

const SIZE = 30 * 1024 * 1024;
const portOf = (url: string): number => Number(new URL(url).port);
const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

test("passes 30 MiB on in both directions, unchanged", async ({ open }) => {
  await using origin = await Origin.start((response, { body }) => response.end(body));
  const preview = await open(portOf(origin.url));
  const sent = randomBytes(SIZE);
  const { status, body } = await preview.get("/upload?as=it%20is&it=is", {
    method: "POST",
    body: Readable.from([sent.subarray(0, 1_000_000), sent.subarray(1_000_000)]),
  });
  expect(status).toBe(200);
  expect(digest(Buffer.concat(await body.toArray()))).toBe(digest(sent));
  expect(origin.latest).toMatchObject({ method: "POST", url: "/upload?as=it%20is&it=is" });
});

test("holds a download back that the browser does not read, and ends it when the browser goes", async ({
  open,
}) => {
  const peer = createServer((_, response) => {
    const more = (): void => {
      while (response.write(Buffer.alloc(1024 * 1024))) sent++;
      sent++;
    };
    response.on("drain", more).on("close", () => closed.push(sent));
    more();
  });
  let sent = 0;
  const closed: number[] = [];
  peer.listen(0, "127.0.0.1");
  await once(peer, "listening");
  const preview = await open((peer.address() as AddressInfo).port);
  const { body } = await preview.get("/endless");
  // What has been sent does not grow any more: buffers of two systems, 8 MiB of credit, and those of streams.
  await expect
    .poll(async () => {
      const before = sent;
      await preview.read("/__preview");
      return sent === before && sent > 0;
    })
    .toBe(true);
  expect(sent).toBeLessThan(64);
  body.destroy();
  await expect.poll(() => closed).toHaveLength(1);
  peer.close();
  peer.closeAllConnections();
});

test("passes events on as they come, and the end of the dev server as an end", async ({ open }) => {
  let send = (_: string): void => {};
  let end = (): void => {};
  await using origin = await Origin.start((response) => {
    response.setHeader("content-type", "text/event-stream");
    send = (text) => void response.write(text);
    end = () => void response.destroy();
    send("data: 1\n\n");
  });
  const preview = await open(portOf(origin.url));
  const { body } = await preview.get("/events");
  const failed = once(body, "error");
  for (const expected of ["data: 1\n\n", "data: 2\n\n", "data: 3\n\n"]) {
    const [chunk] = await once(body, "data");
    expect(String(chunk)).toBe(expected);
    send(`data: ${Number(expected[6]) + 1}\n\n`);
  }
  end();
  // A response that was cut is not a whole one.
  expect((await failed)[0]).toMatchObject({ code: "ECONNRESET" });
});

test("passes WebSockets on: text, bytes, large messages, subprotocols and closing codes", async ({
  open,
}) => {
  await using server = await PlainWebSocketServer.start({ handleProtocols: () => "vite-hmr" });
  const preview = await open(portOf(server.url));
  const near = await preview.webSocket({}, "/hmr?token=1", "vite-hmr");
  if (typeof near === "number") throw new Error(`refused with ${near}`);
  expect(near.protocol).toBe("vite-hmr");
  const far = await server.next();
  far.on("message", (data, isBinary) => far.send(data, { binary: isBinary }));
  near.send("grüße");
  expect(String((await once(near, "message"))[0])).toBe("grüße");
  const bytes = randomBytes(4 * 1024 * 1024);
  near.send(bytes);
  const [echo] = await once(near, "message");
  expect(digest(echo as Buffer)).toBe(digest(bytes));
  const closed = once(far, "close");
  near.close(4001, "done");
  expect((await closed)[0]).toBe(4001);
  expect(server.upgrades[0]?.url).toBe("/hmr?token=1");
});

test("gives a dev server the headers that it expects, and none that are the preview's", async ({ open }) => {
  await using origin = await Origin.start();
  const port = portOf(origin.url);
  const preview = await open(port);
  const headers = {
    origin: preview.origin,
    referer: `${preview.origin}/from?here`,
    cookie: `theme=dark; ${preview.cookie}; __Host-preview=other; sid=a=b`,
    connection: "keep-alive, x-hop",
    "x-hop": "1",
    "proxy-authorization": "Basic secret",
    te: "trailers",
    expect: "100-continue",
    "content-length": "4",
  };
  expect((await preview.read("/", { method: "POST", headers, body: "body" }))[0]).toBe(200);
  const local = `localhost:${port}`;
  expect(origin.latest.body.toString()).toBe("body");
  expect(
    Object.fromEntries(origin.latest.headers.map(([name, value]) => [name.toLowerCase(), value])),
  ).toEqual({
    connection: "keep-alive",
    "content-length": "4",
    cookie: "theme=dark; sid=a=b",
    host: local,
    origin: `http://${local}`,
    referer: `http://${local}/from?here`,
  });
  await preview.read("/", { headers: { referer: "https://elsewhere.example/secret" } });
  expect(origin.latest.headers.map(([name]) => name.toLowerCase()).sort()).toEqual(["connection", "host"]);
});

test("gives a WebSocket server the same, and drops its cookies alike", async ({ open }) => {
  await using server = await PlainWebSocketServer.start();
  const port = portOf(server.url);
  const preview = await open(port);
  const socket = await preview.webSocket({ cookie: `theme=dark; ${preview.cookie}` });
  if (typeof socket === "number") throw new Error(`refused with ${socket}`);
  expect(server.upgrades[0]?.headers).toMatchObject({
    host: `localhost:${port}`,
    origin: `http://localhost:${port}`,
    cookie: "theme=dark",
  });
  socket.terminate();
});

test("passes none of the IDE's own cookies on that it names", () => {
  expect(passedCookies("session=1; theme=dark; session=2;x", ["session"])).toBe("theme=dark; =x");
  expect(passedCookies("session=1", ["session"])).toBeUndefined();
});

test("drops cookies with a Domain, and those that would be the preview's own", async ({ open }) => {
  await using origin = await Origin.start((response) => {
    response.setHeader("set-cookie", [
      "sid=1; HttpOnly; Path=/",
      "wide=1; Domain=localhost",
      "wide=2; path=/; DOMAIN = .localhost",
      "wide=3;domain",
      "__Host-preview=mine; Path=/; Secure",
      "__host-Preview=mine; Path=/; Secure",
      "=__Host-preview=mine",
      "__Host-preview",
      "domain=local",
    ]);
    response.end();
  });
  const preview = await open(portOf(origin.url));
  const { headers } = await preview.get("/");
  expect(headers["set-cookie"]).toEqual(["sid=1; HttpOnly; Path=/", "domain=local"]);
});

test("keeps redirects within the preview, and lets only the IDE and its own pages frame it", async ({
  ide,
  open,
}) => {
  await using origin = await Origin.start((response, { url }) => {
    response.setHeader("content-security-policy", [
      "default-src 'self'; frame-ancestors 'none'",
      "frame-ancestors *",
    ]);
    response.writeHead(302, {
      location: decodeURIComponent(url.slice(1)),
      "x-frame-options": "DENY",
      "alt-svc": 'h3=":1"',
    });
    response.end();
  });
  const port = portOf(origin.url);
  const preview = await open(port);
  for (const [location, passed] of [
    [`http://localhost:${port}/a?b#c`, `${preview.origin}/a?b#c`],
    [`http://127.0.0.1:${port}`, `${preview.origin}/`],
    [`http://[::1]:${port}/x`, `${preview.origin}/x`],
    ["/relative", "/relative"],
    [`https://localhost:${port}/`, `https://localhost:${port}/`],
    ["http://localhost:1/", "http://localhost:1/"],
    [`http://localhost:${port}.example/`, `http://localhost:${port}.example/`],
    ["https://login.example/?back", "https://login.example/?back"],
  ] as const) {
    const { headers } = await preview.get(`/${encodeURIComponent(location)}`);
    expect(headers["location"]).toBe(passed);
    expect(headers["content-security-policy"]).toBe(`default-src 'self', frame-ancestors 'self' ${ide.url}`);
    expect(headers["x-frame-options"]).toBeUndefined();
    expect(headers["alt-svc"]).toBeUndefined();
  }
});

test("shows that nothing listens yet, and a WebSocket gets 502", async ({ ide, open }) => {
  const port = await unusedPort();
  const preview = await open(port);
  const { status, headers, body } = await preview.get("/", { headers: { accept: "text/html" } });
  const page = Buffer.concat(await body.toArray()).toString();
  expect(status).toBe(502);
  expect(page).toContain(`Nothing listens on port ${port} yet`);
  expect(headers["content-security-policy"]).toMatch(/^default-src 'none'; /);
  expect(headers["content-security-policy"]).toContain(`frame-ancestors 'self' ${ide.url}`);
  expect(page).not.toMatch(/https?:/);
  expect(await preview.read("/data.json")).toEqual([502, expect.stringMatching(/^Nothing listens on port/)]);
  expect(await preview.webSocket()).toBe(502);
});

test("tells a broken answer from none, and survives it", async ({ open }) => {
  await using peer = await TcpPeer.listen();
  const preview = await open(peer.port);
  for (const answer of ["SSH-2.0-no\r\n", "HTTP/1.1 200 a\u0001b\r\nConnection: close\r\n\r\nok", ""]) {
    const status = preview.read("/");
    const socket = await peer.accept();
    socket.once("data", () => socket.end(answer));
    expect(await status).toEqual(
      answer.startsWith("HTTP") ? [200, "ok"] : [502, expect.stringContaining("gave no valid answer")],
    );
  }
});

test("reaches a dev server that listens on ::1 only", async ({ open }) => {
  const server = createServer((_, response) => response.end("over IPv6")).listen(0, "::1");
  await once(server, "listening");
  const preview = await open((server.address() as AddressInfo).port);
  expect(await preview.read("/")).toEqual([200, "over IPv6"]);
  server.close();
  server.closeAllConnections();
});

test("survives a kill and a restart of the exec-server: the next request has a fresh session", async ({
  execServer,
  open,
}) => {
  await using origin = await Origin.start((response, { url }) => {
    response.write("alive");
    if (url !== "/hangs") response.end();
  });
  await using sockets = await PlainWebSocketServer.start();
  const preview = await open(portOf(origin.url));
  expect(await preview.read("/")).toEqual([200, "alive"]);
  const hanging = (await preview.get("/hangs")).body;
  const socket = await (await open(portOf(sockets.url))).webSocket();
  if (typeof socket === "number") throw new Error(`refused with ${socket}`);
  const ends = [once(hanging.resume(), "error"), once(socket, "close")];
  await execServer.kill("SIGKILL");
  await Promise.all(ends);
  const headers = { accept: "text/html" };
  expect(await preview.read("/", { headers })).toEqual([
    502,
    expect.stringContaining("exec-server can't be reached"),
  ]);
  expect(await preview.webSocket()).toBe(502);
  await execServer.restart();
  expect(await preview.read("/")).toEqual([200, "alive"]);
  expect(await Promise.all([1, 2, 3, 4].map(() => preview.read("/")))).toEqual(Array(4).fill([200, "alive"]));
});

// Not half-open: where bytes arrive together with a reset, Node reports an end.
const CLOSING = { allowHalfOpen: false };

test("ends what it has made, with the browser and with the preview", async ({ ide, open }) => {
  await using peer = await TcpPeer.listen(CLOSING);
  const preview = await open(peer.port);
  const head = `GET / HTTP/1.1\r\nHost: ${preview.host}\r\nCookie: ${preview.cookie}\r\n`;
  const upgrade = [
    `Origin: ${preview.origin}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
  ].join("\r\n");
  for (const request of [`${head}\r\n`, `${head}${upgrade}\r\n\r\n`]) {
    const browser = preview.socket();
    browser.write(request);
    (await peer.accept()).resume();
    expect(peer.size).toBe(1);
    browser.destroy();
    await expect.poll(() => peer.size).toBe(0);
  }
  preview.socket().write(`${head}\r\n`);
  const pending = preview.webSocket();
  (await peer.accept()).resume();
  (await peer.accept()).resume();
  expect(peer.size).toBe(2);
  await api(ide, "DELETE", `/${preview.id}`);
  expect(await pending).toBe(502);
  await expect.poll(() => peer.size).toBe(0);
});

test("an unused connection is closed soon, and used again until then", async ({ open }) => {
  await using peer = await TcpPeer.listen(CLOSING);
  const preview = await open(peer.port);
  const first = preview.read("/");
  const socket = await peer.accept();
  socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  expect([await first, await preview.read("/"), await preview.read("/")]).toEqual(Array(3).fill([200, "ok"]));
  await expect.poll(() => peer.size).toBe(0);
});

test("closing the IDE ends everything, on the other machine too", async ({ execServer }) => {
  const ide = await startIdeServer(execServer, "/");
  await using peer = await TcpPeer.listen(CLOSING);
  await using sockets = await PlainWebSocketServer.start();
  const preview = await openPreview(ide, peer.port);
  const pending = preview.read("/").catch(() => "cut");
  (await peer.accept()).resume();
  const socket = await (await openPreview(ide, portOf(sockets.url))).webSocket();
  if (typeof socket === "number") throw new Error(`refused with ${socket}`);
  const ends = [once(await sockets.next(), "close"), once(socket, "close"), pending];
  await ide.close();
  await Promise.all(ends);
  await expect.poll(() => peer.size).toBe(0);
  // The processes that have made the connections.
  const children = (): string => spawnSync("pgrep", ["-P", String(execServer.pid)]).stdout.toString();
  await expect.poll(children).toBe("");
});
