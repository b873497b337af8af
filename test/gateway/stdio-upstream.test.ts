import { expect, test } from "vitest";
import { stdio } from "../../src/node.ts";
import { Children } from "../support/children.ts";
import { codexBinary, makeCodexHome } from "../support/exec-server.ts";
import { failureOf } from "../support/failure.ts";
import { startGateway } from "../support/gateway.ts";
import { openRawWebSocket } from "../support/upgrade-request.ts";

const upstream = stdio({
  command: codexBinary(),
  args: ["exec-server", "--listen", "stdio", "--concurrent-requests", "8"],
  env: { CODEX_HOME: makeCodexHome() },
});

test("each page has a child of its own, which is gone with it", async () => {
  using children = new Children();
  await using gateway = await startGateway(upstream);
  const [first, second] = [await gateway.connect(), await gateway.connect()];
  expect(children.started).toHaveLength(2);
  expect((await first.run(["echo", "hello"])).stdout).toBe("hello\n");
  await first.close();
  await expect.poll(() => children.started.filter(({ exitCode }) => exitCode === 0)).toHaveLength(1);
  expect(await second.status()).toEqual({ status: "ready" });
  await second.close();
  await children.gone();
});

test("a page that vanishes leaves no child", async () => {
  using children = new Children();
  await using gateway = await startGateway(upstream);
  (await openRawWebSocket(gateway.port)).resetAndDestroy();
  await expect.poll(() => children.started.length).toBe(1);
  await children.gone();
});

test("a page is told when its child is killed", async () => {
  using children = new Children();
  await using gateway = await startGateway(upstream);
  const client = await gateway.connect();
  const pending = failureOf(client.run(["sleep", "60"]));
  await client.status();
  children.latest.kill("SIGKILL");
  expect(await pending).toMatchObject({ code: "ERR_DISCONNECTED", closeCode: 4001 });
});

test("a program that is not there closes the page's socket with 4002", async () => {
  await using gateway = await startGateway(stdio({ command: "no-such-program-anywhere" }));
  expect(await failureOf(gateway.connect())).toMatchObject({ code: "ERR_CONNECT", closeCode: 4002 });
});

test("closing the gateway ends its children", async () => {
  using children = new Children();
  await using gateway = await startGateway(upstream);
  await gateway.connect();
  await gateway.gateway.close();
  await children.gone();
});
