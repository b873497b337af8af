import { expect } from "@playwright/test";
import { Origin } from "../../test/support/origin.ts";
import { TcpPeer } from "../../test/support/tcp-peer.ts";
import { unusedPort } from "../../test/support/tcp-server.ts";
import { api, TestPreview, test } from "./preview.ts";

const portOf = (url: string): number => Number(new URL(url).port);

test("a ticket admits one browser, once, and the cookie admits it from then on", async ({ ide }) => {
  await using origin = await Origin.start((response) => response.end("the dev server's page"));
  const answer = await api(ide, "POST", "", { port: portOf(origin.url) });
  const preview = new TestPreview(await answer.json());
  expect((await preview.read("/"))[0]).toBe(403);
  expect((await preview.read("/__preview?ticket=wrong"))[0]).toBe(403);
  expect(await preview.enter()).toMatch(
    /^__Host-preview=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=None; Partitioned$/,
  );
  expect(await preview.read("/")).toEqual([200, "the dev server's page"]);
  // A reload of the frame asks for the used ticket again.
  const again = await preview.get(preview.url.slice(preview.origin.length));
  expect([again.status, again.headers["location"], again.headers["set-cookie"]]).toEqual([
    303,
    "/",
    undefined,
  ]);
  expect(
    (await preview.read(preview.url.slice(preview.origin.length), { headers: { cookie: undefined } }))[0],
  ).toBe(403);
  expect(origin.requests).toHaveLength(1);
});

test("an open port keeps its host and gives a further ticket; a closed one does not come back", async ({
  ide,
  open,
}) => {
  await using origin = await Origin.start();
  const port = portOf(origin.url);
  const preview = await open(port);
  const second = await open(port);
  expect(second.id).toBe(preview.id);
  expect(preview.id).toMatch(/^[0-9a-f]{32}$/);
  const listed = await (await api(ide, "GET", "")).json();
  expect(listed).toEqual([{ id: preview.id, port, origin: preview.origin }]);
  expect((await api(ide, "DELETE", `/${preview.id}`)).status).toBe(200);
  expect((await api(ide, "DELETE", `/${preview.id}`)).status).toBe(404);
  expect((await preview.read("/"))[0]).toBe(404);
  expect(await preview.webSocket()).toBe(404);
  const third = await open(port);
  expect(third.id).not.toBe(preview.id);
  third.cookie = preview.cookie;
  expect((await third.read("/"))[0]).toBe(403);
});

test("refuses DNS rebinding: any name but that of an open preview", async ({ ide, open }) => {
  await using origin = await Origin.start();
  const preview = await open(portOf(origin.url));
  const { port } = new URL(ide.url);
  const other = "0123456789abcdef".repeat(2);
  for (const [host, status] of [
    [`attacker.example:${port}`, 403],
    [`${preview.id}.attacker.example:${port}`, 403],
    [`${preview.id}.localhost`, 404],
    [`${preview.id}.localhost:1`, 404],
    [`${preview.id}.localhost.:${port}`, 403],
    [`${other}.localhost:${port}`, 404],
    [`x.${preview.host}`, 404],
    [preview.id, 403],
    [`127.0.0.1:${port}`, 404],
    [`localhost:${port}`, 403],
  ] as const) {
    expect([host, (await preview.read("/x", { headers: { host } }))[0]]).toEqual([host, status]);
    expect([host, await preview.webSocket({ host })]).toEqual([host, expect.any(Number)]);
  }
  const cookie = `Cookie: ${preview.cookie}`;
  for (const head of [
    `GET / HTTP/1.1\r\nHost: ${preview.host}\r\nHost: attacker.example\r\n${cookie}`,
    `GET http://169.254.169.254/ HTTP/1.1\r\nHost: ${preview.host}\r\n${cookie}`,
    `GET /\\[ HTTP/1.1\r\nHost: ${preview.host}\r\n${cookie}`,
    `GET http://[ HTTP/1.1\r\nHost: ${preview.host}\r\n${cookie}`,
    `OPTIONS * HTTP/1.1\r\nHost: ${preview.host}\r\n${cookie}`,
  ]) {
    expect(await preview.raw(`${head}\r\n\r\n`)).toBeGreaterThanOrEqual(400);
  }
  expect(origin.requests).toEqual([]);
  // No byte of a path or a header ends the server.
  for (let byte = 1; byte < 256; byte++) {
    const character = String.fromCharCode(byte);
    await preview.raw(
      `GET /${character} HTTP/1.1\r\nHost: ${preview.host}\r\n${cookie}\r\nX: a${character}b\r\n\r\n`,
    );
  }
  expect((await preview.read("/last"))[0]).toBe(200);
});

test("refuses requests that pages of foreign origins make", async ({ ide, open }) => {
  await using origin = await Origin.start();
  const preview = await open(portOf(origin.url));
  const sibling = await open(await unusedPort());
  for (const foreign of [ide.url, sibling.origin, "https://attacker.example", "null", origin.url]) {
    const headers = { origin: foreign };
    expect([foreign, (await preview.read("/", { method: "POST", headers }))[0]]).toEqual([foreign, 403]);
    expect([foreign, await preview.webSocket(headers)]).toEqual([foreign, 403]);
  }
  const cross = { "sec-fetch-site": "cross-site" };
  const navigation = { ...cross, "sec-fetch-mode": "navigate" };
  for (const headers of [
    { ...cross, "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script" },
    { ...cross, "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" },
    { ...navigation, "sec-fetch-dest": "object" },
    { ...navigation, "sec-fetch-site": "same-site", "sec-fetch-dest": "embed" },
  ]) {
    expect((await preview.read("/", { headers }))[0]).toBe(403);
  }
  expect(await preview.webSocket({ origin: undefined })).toBe(403);
  expect(origin.requests).toEqual([]);
  // A link to it, and the IDE's frame.
  for (const dest of ["document", "iframe"]) {
    expect((await preview.read("/", { headers: { ...navigation, "sec-fetch-dest": dest } }))[0]).toBe(200);
  }
  expect((await preview.read("/", { method: "POST", headers: { origin: preview.origin } }))[0]).toBe(200);
});

test("only the page of the IDE opens, lists and closes ports", async ({ ide, open }) => {
  const preview = await open(await unusedPort());
  for (const headers of [{}, { "sec-fetch-site": "cross-site" }, { "sec-fetch-site": "same-site" }]) {
    for (const [method, path] of [
      ["POST", ""],
      ["GET", ""],
      ["DELETE", `/${preview.id}`],
    ] as const) {
      expect((await fetch(`${ide.url}/api/previews${path}`, { method, headers })).status).toBe(403);
    }
  }
  // The preview's own pages reach the dev server only.
  expect((await preview.read("/api/connection"))[0]).toBe(502);
});

test("opens no port that belongs to the exec-server, the gateway or the IDE", async ({ execServer, ide }) => {
  for (const url of [ide.url, execServer.url]) {
    const answer = await api(ide, "POST", "", { port: portOf(url) });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({ error: expect.stringContaining("belongs to") });
  }
});

test("takes a port and never a host: other machines and link-local addresses have no way in", async ({
  ide,
  open,
}) => {
  for (const port of [
    0,
    65_536,
    -1,
    1.5,
    "5173",
    "169.254.169.254:80",
    null,
    [80],
    { host: "169.254.169.254" },
    undefined,
  ]) {
    expect([port, (await api(ide, "POST", "", { port })).status]).toEqual([port, 400]);
  }
  expect(
    (
      await fetch(`${ide.url}/api/previews`, {
        method: "POST",
        body: "{",
        headers: { "sec-fetch-site": "same-origin" },
      })
    ).status,
  ).toBe(400);
  // A host beside the port is ignored.
  await using origin = await Origin.start((response) => response.end("on loopback"));
  const body = { port: portOf(origin.url), host: "169.254.169.254" };
  const preview = new TestPreview(await (await api(ide, "POST", "", body)).json());
  await preview.enter();
  expect(await preview.read("/")).toEqual([200, "on loopback"]);
  expect((await (await open(await unusedPort())).read("/"))[0]).toBe(502);
});

test("refuses more than 16 previews", async ({ ide }) => {
  for (let port = 2001; port <= 2016; port++) {
    expect((await api(ide, "POST", "", { port })).status).toBe(200);
  }
  expect((await api(ide, "POST", "", { port: 2017 })).status).toBe(409);
  expect((await api(ide, "POST", "", { port: 2001 })).status).toBe(200);
});

test("refuses oversized headers, and passes none on that a dev server sends", async ({ open }) => {
  await using origin = await Origin.start((response, { url }) => {
    if (url === "/big") response.setHeader("x-big", "x".repeat(20_000));
    response.end();
  });
  const preview = await open(portOf(origin.url));
  expect(
    await preview.raw(`GET / HTTP/1.1\r\nHost: ${preview.host}\r\nX-Big: ${"x".repeat(20_000)}\r\n\r\n`),
  ).toBe(431);
  expect(origin.requests).toEqual([]);
  expect((await preview.read("/big"))[0]).toBe(502);
});

test("refuses requests whose end a dev server could read differently", async ({ open }) => {
  await using origin = await Origin.start();
  const preview = await open(portOf(origin.url));
  const head = `Host: ${preview.host}\r\nCookie: ${preview.cookie}\r\n`;
  const hidden = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n";
  const size = `Content-Length: ${hidden.length}\r\n`;
  const chunked = `Transfer-Encoding: chunked\r\n\r\n${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`;
  expect(await preview.raw(`DELETE / HTTP/1.1\r\n${head}${chunked}`)).toBe(411);
  expect(await preview.raw(`OPTIONS / HTTP/1.1\r\n${head}${chunked}`)).toBe(411);
  expect(await preview.raw(`POST / HTTP/1.1\r\n${head}${size}${chunked}`)).toBe(400);
  expect(await preview.raw(`GET / HTTP/1.1\r\n${head}Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n`)).toBe(400);
  const upgrade = `${head}Origin: ${preview.origin}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`;
  expect(await preview.raw(`GET / HTTP/1.1\r\n${upgrade}${size}\r\n${hidden}`)).toBe(400);
  expect(origin.requests).toEqual([]);
  // `Connection` names headers to drop, but not those that end a body.
  expect(
    await preview.raw(`GET / HTTP/1.1\r\n${head}Connection: content-length\r\n${size}\r\n${hidden}`),
  ).toBe(200);
  expect((await preview.read("/last"))[0]).toBe(200);
  expect(origin.requests.map(({ url }) => url)).toEqual(["/", "/last"]);
});

test.describe("with short limits", () => {
  test.use({ limits: { headersTimeout: 400, requestTimeout: 800, connectionsCheckingInterval: 100 } });

  test("ends slow headers and slow bodies, their remote connections too, and no stream of events", async ({
    open,
  }) => {
    let send = (_: string): void => {};
    await using origin = await Origin.start((response) => {
      send = (text) => void response.write(text);
      send("first;");
    });
    await using slow = await TcpPeer.listen();
    const events = (await (await open(portOf(origin.url))).get("/events")).body;
    const preview = await open(slow.port);
    const head = `Host: ${preview.host}\r\nCookie: ${preview.cookie}\r\n`;
    const status = preview.raw(`POST / HTTP/1.1\r\n${head}Content-Length: 9\r\n\r\nslow`);
    (await slow.accept()).resume();
    expect(await preview.raw(`GET / HTTP/1.1\r\nHost: ${preview.host}\r\nX-Slow: `)).toBe(408);
    expect(await status).toBe(408);
    await expect.poll(() => slow.size).toBe(0);
    // The stream is older than every limit.
    send("second");
    let text = "";
    for await (const chunk of events) {
      text += chunk;
      if (text === "first;second") break;
    }
  });
});
