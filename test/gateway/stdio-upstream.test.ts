import { expect, test } from "vitest";
import { errorText } from "../../src/gateway/command/log.ts";
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

test("starts one child process for each page, and ends it with the page", async () => {
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

test("ends the child of a page that resets its socket", async () => {
  using children = new Children();
  await using gateway = await startGateway(upstream);
  (await openRawWebSocket(gateway.port)).resetAndDestroy();
  await expect.poll(() => children.started.length).toBe(1);
  await children.gone();
});

test("closes a page with 4001 when its child is killed", async () => {
  using children = new Children();
  await using gateway = await startGateway(upstream);
  const client = await gateway.connect();
  const pending = failureOf(client.run(["sleep", "60"]));
  await client.status();
  children.latest.kill("SIGKILL");
  expect(await pending).toMatchObject({ code: "ERR_DISCONNECTED", closeCode: 4001 });
});

test("tells by onEvent how a child ended that its page did not end", async () => {
  const errors: unknown[] = [];
  const broken = stdio({ command: "sh", args: ["-c", "exit 7"], stderr: "inherit" });
  await using gateway = await startGateway(broken, {
    onEvent: ({ type, error }) => type === "closed" && errors.push(error),
  });
  await failureOf(gateway.connect());
  await expect.poll(() => errors).toHaveLength(1);
  expect(errorText(errors[0])).toBe(
    "The exec-server connection ended: the exec-server process ended with code 7",
  );
});

test("closes a page with 4002 when the command does not exist", async () => {
  await using gateway = await startGateway(stdio({ command: "no-such-program-anywhere" }));
  expect(await failureOf(gateway.connect())).toMatchObject({ code: "ERR_CONNECT", closeCode: 4002 });
});

test("ends every child when the gateway closes", async () => {
  using children = new Children();
  await using gateway = await startGateway(upstream);
  await gateway.connect();
  await gateway.gateway.close();
  await children.gone();
});
