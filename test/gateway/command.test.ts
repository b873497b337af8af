import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ExecServerClient } from "../../src/index.ts";
import { codexBinary, ExecServer, makeCodexHome } from "../support/exec-server.ts";
import { failureOf } from "../support/failure.ts";
import { ORIGIN, pageTransport, TOKEN } from "../support/gateway.ts";
import { GatewayCommand } from "../support/gateway-command.ts";

const UPSTREAM_TOKEN = "the-upstream-wants-this";
const HASH = createHash("sha256").update(UPSTREAM_TOKEN).digest("hex");

const directory = mkdtempSync(join(tmpdir(), "gateway-test-"));
const file = (name: string, text: string): string => {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
};
const tokenFile = file("token", `${TOKEN}\n`);
const ANYWHERE = ["--listen", "127.0.0.1:0", "--origin", ORIGIN];
const connect = (url: string, token = TOKEN) =>
  ExecServerClient.connect({ transport: pageTransport(url, ["exec-server-gateway", token]) });

let server: ExecServer;
beforeAll(async () => {
  server = await ExecServer.start();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

test("the command serves a WebSocket server, makes a token, and tells it once", async () => {
  await using command = new GatewayCommand(...ANYWHERE, "--upstream", server.url);
  const url = await command.url();
  const [, token = ""] = /^Token: ([\w-]{43})$/.exec(await command.line()) ?? [];
  expect(await command.line()).toContain(
    `webSocket("${url}", { protocols: ["exec-server-gateway", "${token}"] })`,
  );
  const client = await connect(url, token);
  expect((await client.run(["echo", "hello"])).stdout).toBe("hello\n");
  await client.close();
  await expect.poll(() => command.stderr).toBe(`connected ${ORIGIN}\nclosed ${ORIGIN} 1000\n`);
  expect(await failureOf(connect(url, "wrong"))).toMatchObject({ status: 401 });
  command.kill("SIGTERM");
  expect(await command.exited).toBe(0);
  expect(command.stderr).not.toContain(token);
  expect(command.stdout.trimEnd().split("\n")).toHaveLength(3);
});

test("the command starts a server for each page, and takes it along when it is interrupted", async () => {
  const codex = ["env", `CODEX_HOME=${makeCodexHome()}`, codexBinary(), "exec-server", "--listen", "stdio"];
  await using command = new GatewayCommand(...ANYWHERE, "--token-file", tokenFile, "--", ...codex);
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
  expect(command.stderr).toContain(`closed ${ORIGIN} 1001\n`);
});

test("the command lets pages finish after the signal", async () => {
  await using command = new GatewayCommand(...ANYWHERE, "--token-file", tokenFile, "--upstream", server.url);
  const client = await connect(await command.url());
  const running = client.run(["sh", "-c", "sleep 0.3; echo finished"]);
  await client.status();
  command.kill("SIGTERM");
  expect((await running).stdout).toBe("finished\n");
  await client.close();
  expect(await command.exited).toBe(0);
});

test("the command shows the upstream its token, and nobody else", async () => {
  const args = ["--ws-auth", "capability-token", "--ws-token-sha256", HASH];
  await using guarded = await ExecServer.start({ args });
  const upstreamToken = file("upstream-token", UPSTREAM_TOKEN);
  const upstream = ["--upstream", guarded.url, "--upstream-token-file", upstreamToken];
  await using command = new GatewayCommand(...ANYWHERE, "--token-file", tokenFile, ...upstream);
  await using client = await connect(await command.url());
  expect(await client.status()).toEqual({ status: "ready" });
  expect(command.stdout + command.stderr).not.toContain(UPSTREAM_TOKEN);
});

test("the command is reached by the names of --host", async () => {
  await using command = new GatewayCommand(
    ...["--listen", "127.0.0.1:0", "--origin", "http://localhost:5173", "--origin", ORIGIN],
    ...["--host", "ide.example", "--token-file", tokenFile, "--upstream", server.url],
  );
  await using client = await connect(await command.url());
  expect(await client.status()).toEqual({ status: "ready" });
});

test("--help tells how it is used", async () => {
  await using command = new GatewayCommand("--help");
  expect(await command.exited).toBe(0);
  for (const option of [
    "--upstream",
    "--origin",
    "--host",
    "--listen",
    "--token-file",
    "--upstream-token-file",
  ]) {
    expect(command.stdout).toContain(option);
  }
});

test("a port that is taken is a failure, not a misuse", async () => {
  const listen = new URL(server.url).host;
  await using command = new GatewayCommand("--origin", ORIGIN, "--listen", listen, "--upstream", server.url);
  expect(await command.exited).toBe(1);
  expect(command.stderr).toContain("EADDRINUSE");
  expect(command.stdout).toBe("");
});
