import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ExecServerClient } from "../../../src/index.ts";
import { codexBinary, ExecServer, makeCodexHome } from "../../support/exec-server.ts";
import { failureOf } from "../../support/failure.ts";
import { ORIGIN, pageTransport, TOKEN } from "../../support/gateway.ts";
import { GatewayCommand } from "../../support/gateway-command.ts";
import { filesIn, temporaryDirectory } from "../../support/temporary-files.ts";

const UPSTREAM_TOKEN = "the-token-of-the-upstream";
const HASH = createHash("sha256").update(UPSTREAM_TOKEN).digest("hex");

const file = filesIn(temporaryDirectory());
const tokenFile = file("token", `${TOKEN}\n`);
const ARGS = ["--listen", "127.0.0.1:0", "--origin", ORIGIN];
const connect = (url: string, token = TOKEN) =>
  ExecServerClient.connect({ transport: pageTransport(url, ["exec-server-gateway", token]) });

let server: ExecServer;
beforeAll(async () => {
  server = await ExecServer.start();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

test("the command serves a WebSocket upstream, and generates and prints a token once", async () => {
  await using command = new GatewayCommand(...ARGS, "--upstream", server.url);
  const url = await command.url();
  const [, token = ""] = /^Token: ([\w-]{43})$/.exec(await command.line()) ?? [];
  expect(await command.line()).toContain(
    `webSocket("${url}", { protocols: ["exec-server-gateway", "${token}"] })`,
  );
  const client = await connect(url, token);
  expect((await client.run(["echo", "hello"])).stdout).toBe("hello\n");
  await client.close();
  await expect.poll(() => command.stderr).toContain(`closed ${ORIGIN} 1000 page address=127.0.0.1 bytes=`);
  expect(await failureOf(connect(url, "wrong"))).toMatchObject({
    closeCode: 4401,
    message: "The connection ended during the handshake: the gateway refused the token",
  });
  await expect.poll(() => command.stderr).toContain(`refused ${ORIGIN} 4401 unauthorized`);
  command.kill("SIGTERM");
  expect(await command.exited).toBe(0);
  expect(command.stderr).not.toContain(token);
  expect(command.stdout.trimEnd().split("\n")).toHaveLength(3);
});

test("the command starts a server for each page, and ends it on a second signal", async () => {
  const codex = ["env", `CODEX_HOME=${makeCodexHome()}`, codexBinary(), "exec-server", "--listen", "stdio"];
  await using command = new GatewayCommand(...ARGS, "--token-file", tokenFile, "--", ...codex);
  const client = await connect(await command.url());
  const { stdout } = await client.run(["sh", "-c", "echo $PPID"]);
  const pid = Number(stdout);
  expect(process.kill(pid, 0)).toBe(true);
  command.kill("SIGINT");
  command.kill("SIGTERM");
  expect(await client.disconnected).toMatchObject({ closeCode: 1001 });
  expect(await command.exited).toBe(0);
  expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  expect(command.stdout).not.toContain(TOKEN);
  expect(command.stderr).toContain(`closed ${ORIGIN} 1001 closing `);
});

test("the command lets pages finish after a signal", async () => {
  await using command = new GatewayCommand(...ARGS, "--token-file", tokenFile, "--upstream", server.url);
  const client = await connect(await command.url());
  const running = client.run(["sh", "-c", "sleep 0.3; echo finished"]);
  await client.status();
  command.kill("SIGTERM");
  expect((await running).stdout).toBe("finished\n");
  await client.close();
  expect(await command.exited).toBe(0);
});

test("the command sends the upstream token to the upstream, and never prints it", async () => {
  const args = ["--ws-auth", "capability-token", "--ws-token-sha256", HASH];
  await using protectedServer = await ExecServer.start({ args });
  const upstreamToken = file("upstream-token", UPSTREAM_TOKEN);
  const upstream = ["--upstream", protectedServer.url, "--upstream-token-file", upstreamToken];
  await using command = new GatewayCommand(...ARGS, "--token-file", tokenFile, ...upstream);
  await using client = await connect(await command.url());
  expect(await client.status()).toEqual({ status: "ready" });
  expect(command.stdout + command.stderr).not.toContain(UPSTREAM_TOKEN);
});

test("the command accepts requests for the names of --host", async () => {
  await using command = new GatewayCommand(
    ...["--listen", "127.0.0.1:0", "--origin", "http://localhost:5173", "--origin", ORIGIN],
    ...["--host", "ide.example", "--token-file", tokenFile, "--upstream", server.url],
  );
  await using client = await connect(await command.url());
  expect(await client.status()).toEqual({ status: "ready" });
});

test.each(["--listen", "--admin"])("the command exits with 1 for a port in use by %s", async (option) => {
  const { host } = new URL(server.url);
  await using command = new GatewayCommand(...ARGS, "--upstream", server.url, option, host);
  expect(await command.exited).toBe(1);
  expect(command.stderr).toContain(`${option} must be a free address: listen EADDRINUSE`);
  expect(command.stdout).toBe("");
});
