import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { Agent, type RequestOptions, request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ExecServerClient } from "../../../src/index.ts";
import { webSocket } from "../../../src/node.ts";
import { ExecServer } from "../../support/exec-server.ts";
import { failureOf } from "../../support/failure.ts";
import { ORIGIN, PROTOCOLS, pageTransport, TOKEN } from "../../support/gateway.ts";
import { GatewayCommand } from "../../support/gateway-command.ts";
import { unusedPort } from "../../support/tcp-server.ts";
import { filesIn, temporaryDirectory } from "../../support/temporary-files.ts";
import { selfSigned } from "../../support/tls-server.ts";
import { requestUpgrade } from "../../support/upgrade-request.ts";
import { PlainWebSocketServer } from "../../support/websocket-server.ts";

const directory = temporaryDirectory();
const file = filesIn(directory);
const tokenFile = file("token", `${TOKEN}\n`);
const ARGS = ["--listen", "127.0.0.1:0", "--origin", ORIGIN, "--token-file", tokenFile];
const protocols = (token: string) => ["exec-server-gateway", token];
const connect = (url: string, token = TOKEN) =>
  ExecServerClient.connect({ transport: pageTransport(url, protocols(token)) });

let server: ExecServer;
beforeAll(async () => {
  server = await ExecServer.start({ args: ["--concurrent-requests", "8"] });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

/** Requests a path of a server on a Unix socket. */
function statusOf(socketPath: string, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.once("error", reject).end();
  });
}

describe("the command serves on although", () => {
  test("the readers of its outputs are gone, and counts the lost lines", async () => {
    const admin = join(directory, "admin.sock");
    await using command = new GatewayCommand(...ARGS, "--upstream", server.url, "--admin", `unix:${admin}`);
    const url = await command.url();
    const client = await connect(url);
    command.closeOutputs();
    for (let n = 0; n < 3; n++) await (await connect(url)).close();
    expect((await client.run(["echo", "still here"])).stdout).toBe("still here\n");
    await client.close();
    const metrics = await textOf({ socketPath: admin }, "/metrics");
    expect(Number(/^exec_server_gateway_log_lines_lost_total (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThan(0);
    expect(metrics).toContain("exec_server_gateway_connected_total 4\n");
  });

  test("it has no descriptor left, which the memory in its metrics takes", async () => {
    const port = await unusedPort();
    await using command = new GatewayCommand(
      ...ARGS,
      "--upstream",
      server.url,
      "--admin",
      `127.0.0.1:${port}`,
    );
    const client = await connect(await command.url());
    const agent = new Agent({ keepAlive: true });
    const scrape = () => textOf({ port, agent }, "/metrics");
    expect(await scrape()).toContain("process_resident_memory_bytes");
    execFileSync("prlimit", ["--pid", String(command.pid), "--nofile=3:"]);
    const metrics = await scrape();
    expect(metrics).not.toContain("process_resident_memory_bytes");
    expect(metrics).toContain("exec_server_gateway_pages 1\n");
    expect((await client.run(["echo", "still here"])).stdout).toBe("still here\n");
    await client.close();
    agent.destroy();
  });

  test("its exec-server is down at the start, and says so", async () => {
    const port = await unusedPort();
    await using command = new GatewayCommand(...ARGS, "--upstream", `ws://127.0.0.1:${port}`);
    await command.url();
    await expect
      .poll(() => command.stderr)
      .toMatch(/^upstream ws:\/\/127\.0\.0\.1:\d+\/ can't be reached yet: ECONNREFUSED$/m);
  });
});

describe("the command says at the start", () => {
  const saidOf = async (...upstream: string[]) => {
    await using command = new GatewayCommand(...ARGS, ...upstream);
    await command.url();
    await expect.poll(() => command.stderr).toContain("\n");
    return command.stderr;
  };

  test("that its exec-server answers", async () => {
    expect(await saidOf("--upstream", server.url)).toBe(
      `upstream ${server.url}/ answers as an exec-server\n`,
    );
  });

  test("that its exec-server answers, whatever the case of its URL", async () => {
    expect(await saidOf("--upstream", server.url.replace("ws:", "WS:"))).toBe(
      `upstream ${server.url}/ answers as an exec-server\n`,
    );
  });

  test("that another server listens there, which it does not connect to", async () => {
    await using other = await PlainWebSocketServer.start();
    expect(await saidOf("--upstream", other.url)).toContain("answers HTTP 426 to /readyz");
    expect(other.upgrades).toEqual([]);
  });

  test("whether the program of a command can be started", async () => {
    expect(await saidOf("--", "cat")).toBe("upstream cat can be started\n");
    expect(await saidOf("--", "/no/such/program")).toMatch(/^upstream .* can't be started: .*ENOENT/);
  });
});

test("the command logs JSON lines, each refusal with its reason, and never a token", async () => {
  await using command = new GatewayCommand(...ARGS, "--upstream", server.url, "--log", "json");
  const url = await command.url();
  await expect.poll(() => command.stderr).toContain("upstream");
  await (await connect(url)).close();
  // Each event is logged before the next one is caused.
  await expect.poll(() => command.stderr).toContain('"closed"');
  await failureOf(connect(url, "a-wrong-token-of-32-characters.."));
  await requestUpgrade(Number(new URL(url).port), { headers: { Origin: "https://evil.example" } });
  const lines = () =>
    command.stderr
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  await expect.poll(() => lines().length).toBe(6);
  expect(lines()).toMatchObject([
    { event: "upstream", ok: true },
    { event: "connected", origin: ORIGIN, address: "127.0.0.1" },
    { event: "ready" },
    { event: "closed", reason: "page", closeCode: 1000 },
    { event: "refused", reason: "unauthorized", closeCode: 4401 },
    { event: "refused", reason: "origin", status: 403, origin: "https://evil.example" },
  ]);
  for (const { time } of lines()) expect(Date.parse(String(time))).not.toBeNaN();
  expect(command.stderr + command.stdout).not.toContain(TOKEN);
  expect(command.stderr).not.toContain("a-wrong-token");
});

describe("on SIGHUP the command", () => {
  test("reads its tokens again, ends the pages of revoked ones and keeps the others", async () => {
    const [ada, bob] = [`${TOKEN}-ada`, `${TOKEN}-bob`];
    const users = file("users", { ada, bob });
    const args = ["--listen", "127.0.0.1:0", "--origin", ORIGIN, "--tokens-file", users];
    await using command = new GatewayCommand(...args, "--upstream", server.url);
    const url = await command.url();
    const [adasPage, bobsPage] = [await connect(url, ada), await connect(url, bob)];
    file("users", { bob, carol: `${TOKEN}-carol` });
    command.kill("SIGHUP");
    expect(await adasPage.disconnected).toMatchObject({ closeCode: 4409 });
    expect(await failureOf(connect(url, ada))).toMatchObject({ closeCode: 4401 });
    await (await connect(url, `${TOKEN}-carol`)).close();
    expect((await bobsPage.run(["echo", "kept"])).stdout).toBe("kept\n");
    await expect.poll(() => command.stderr).toContain("ended 1 pages of revoked tokens");
    file("users", { bob: "too short" });
    command.kill("SIGHUP");
    await expect.poll(() => command.stderr).toContain("not reloaded");
    expect(command.stderr).not.toContain("too short");
    expect(await bobsPage.status()).toEqual({ status: "ready" });
    await (await connect(url, bob)).close();
    await bobsPage.close();
  });

  test("reads its certificate again", async () => {
    const [first, second] = [selfSigned("localhost"), selfSigned("localhost")];
    const tls = ["--tls-cert", file("cert.pem", first.cert), "--tls-key", file("key.pem", first.key)];
    await using command = new GatewayCommand(...ARGS, ...tls, "--upstream", server.url);
    const url = (await command.url()).replace("127.0.0.1", "localhost");
    expect(url).toMatch(/^wss:/);
    const connectWith = (ca: string) =>
      ExecServerClient.connect({
        transport: webSocket(url, { protocols: PROTOCOLS, headers: { origin: ORIGIN }, ca }),
      });
    const client = await connectWith(first.cert);
    file("cert.pem", second.cert);
    file("key.pem", second.key);
    command.kill("SIGHUP");
    await expect.poll(() => command.stderr).toContain("reloaded tokens and certificates");
    await (await connectWith(second.cert)).close();
    await expect(connectWith(first.cert)).rejects.toMatchObject({ code: "ERR_CONNECT" });
    expect(await client.status()).toEqual({ status: "ready" });
    await client.close();
  });
});

test("the command serves on a Unix socket, takes the place of a dead one, and leaves a live one alone", async () => {
  const path = join(directory, "gateway.sock");
  const args = [
    "--origin",
    ORIGIN,
    "--token-file",
    tokenFile,
    "--upstream",
    server.url,
    "--listen",
    `unix:${path}`,
  ];
  const first = new GatewayCommand(...args);
  expect(await first.line()).toBe(`Listening on unix:${path}`);
  await using second = new GatewayCommand(...args);
  expect(await second.exited).toBe(1);
  expect(second.stderr).toContain("EADDRINUSE");
  expect(await statusOf(path, "/livez")).toBe(200);
  await first[Symbol.asyncDispose]();
  await using third = new GatewayCommand(...args);
  expect(await third.line()).toBe(`Listening on unix:${path}`);
  expect(await statusOf(path, "/readyz")).toBe(200);
});

test("the command does not take the place of a file that is no socket", async () => {
  const path = file("precious", "kept");
  await using command = new GatewayCommand(...ARGS, "--upstream", server.url, "--listen", `unix:${path}`);
  expect(await command.exited).toBe(1);
  expect(command.stderr).toContain("EADDRINUSE");
  expect(readFileSync(path, "utf8")).toBe("kept");
});

test("the command serves each path and each user with the exec-server of its own", async () => {
  await using other = await ExecServer.start();
  const where = async (url: string, token = TOKEN): Promise<string> => {
    const client = await connect(url, token);
    const { stdout } = await client.run(["sh", "-c", "echo $PPID"]);
    await client.close();
    return stdout.trim();
  };
  const users = file("upstreams", { ada: { token: `${TOKEN}-ada`, upstream: other.url } });
  const routes = ["--upstream", server.url, "--route", `/other=${other.url}`, "--tokens-file", users];
  await using command = new GatewayCommand(...ARGS, ...routes);
  const url = await command.url();
  const [main, own, routed] = [
    await where(url),
    await where(url, `${TOKEN}-ada`),
    await where(`${url}other`),
  ];
  expect(own).toBe(routed);
  expect(main).not.toBe(own);
});

test("--admin serves health and metrics on an address of its own, and --listen no metrics", async () => {
  const port = await unusedPort();
  await using command = new GatewayCommand(...ARGS, "--upstream", server.url, "--admin", `127.0.0.1:${port}`);
  const url = await command.url();
  const status = async (base: string, path: string) => (await fetch(`${base}${path}`)).status;
  const admin = `http://127.0.0.1:${port}`;
  const open = url.replace("ws:", "http:").replace(/\/$/, "");
  await expect.poll(() => status(admin, "/readyz")).toBe(200);
  expect(await status(admin, "/livez")).toBe(200);
  expect(await status(admin, "/metrics")).toBe(200);
  expect(await status(admin, "/")).toBe(404);
  expect(await status(open, "/livez")).toBe(200);
  expect(await status(open, "/metrics")).toBe(404);
});

test("on all addresses, the command prints an address that works, and names --host", async () => {
  const args = ["--origin", ORIGIN, "--token-file", tokenFile, "--upstream", server.url];
  await using command = new GatewayCommand(...args, "--listen", "0.0.0.0:0");
  const url = await command.url();
  expect(url).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/$/);
  await (await connect(url)).close();
  expect(command.stderr).toContain("with --host");
});

test("settings come from variables and a file as well", async () => {
  const config = file("config.json", {
    listen: "127.0.0.1:0",
    origin: [ORIGIN],
    tokenFile,
    upstream: server.url,
    maxConnections: 1,
  });
  await using command = new GatewayCommand("--config", config);
  const url = await command.url();
  const client = await connect(url);
  expect(await failureOf(connect(url))).toMatchObject({ closeCode: 4503 });
  await client.close();
});

/** The body of a response. */
function textOf(where: RequestOptions, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ ...where, path }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => {
        text += piece;
      });
      response.once("end", () => resolve(text));
    });
    sent.once("error", reject).end();
  });
}
