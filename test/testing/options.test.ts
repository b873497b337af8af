import { describe, expect, test, vi } from "vitest";
import { ExecServerClient } from "../../src/index.ts";
import { stdio, webSocket } from "../../src/node.ts";
import { TestServer, type TestServerDoor } from "../../src/testing.ts";
import { listen, serveStdio } from "../../src/testing-node.ts";
import { failureOf } from "../support/failure.ts";

type Untyped = Record<string, (...args: unknown[]) => unknown>;
const invalid = expect.objectContaining({ code: "ERR_INVALID_ARGUMENT" });

describe("a test server refuses at once", () => {
  test.each<[string, unknown]>([
    ["an unknown option", { file: {} }],
    ["reconnectable as text", { reconnectable: "yes" }],
    ["an unknown value of unhandled", { unhandled: "reject" }],
    ["a file that is a number", { files: { "/a": 1 } }],
    ["null", null],
    ["an array", []],
  ])("%s", (_, options) => {
    expect(() => new TestServer(options as never)).toThrow(invalid);
  });

  test.each<[string, (server: Untyped) => unknown]>([
    ["a handler that is no function", (server) => server["handle"]?.("fs/open", {})],
    ["a fetch handler that is no function", (server) => server["onFetch"]?.(new Response())],
    ["a command that is text", (server) => server["onCommand"]?.("ls -la", {})],
    ["a misspelled outcome", (server) => server["onCommand"]?.(["ls"], { out: "" })],
    ["an outcome that is a number", (server) => server["onCommand"]?.(["ls"], { stdout: 1 })],
    ["a misspelled refusal", (server) => server["refuseNextDial"]?.({ code: 503 })],
    ["a refusal with a status as text", (server) => server["refuseDials"]?.({ status: "503" })],
  ])("%s", (_, call) => {
    expect(() => call(new TestServer() as unknown as Untyped)).toThrow(invalid);
  });

  test("the code and the options of an exit, and output that is neither text nor bytes", async () => {
    await using server = new TestServer();
    await using client = await ExecServerClient.connect({ transport: server.transport });
    server.onCommand(["build"]);
    await client.start(["build"]);
    const build = await server.process();
    expect(() => build.exit(0, { keepOutput: true } as never)).toThrow(invalid);
    for (const code of [1.5, "1", null]) expect(() => build.exit(code as never)).toThrow(invalid);
    expect(() => build.stdout(1 as never)).toThrow(invalid);
    expect(build.isRunning).toBe(true);
  });
});

test("listen() and serveStdio() reject what they can't use", async () => {
  const server = new TestServer();
  await expect(listen(server, { allowOrigins: true } as never)).rejects.toEqual(invalid);
  await expect(listen(server, { allowOrigin: "yes" } as never)).rejects.toEqual(invalid);
  await expect(listen(server, { port: 80 } as never)).rejects.toMatchObject({ code: "ERR_UNSUPPORTED" });
  await expect(listen({} as never)).rejects.toEqual(invalid);
  await expect(serveStdio(undefined as never)).rejects.toEqual(invalid);
});

test("what serveStdio() returns can be given to stdio() as it is, spread, and taken apart", async () => {
  await using server = new TestServer();
  const served = await serveStdio(server);
  for (const options of [served, { ...served, stderr: "ignore" as const }]) {
    await using client = await ExecServerClient.connect({ transport: stdio(options) });
    expect(await client.status()).toEqual({ status: "ready" });
  }
  const { child, close } = served;
  await child(2);
  await close();
});

describe("an acceptor that fails", () => {
  const acceptor: TestServerDoor = {
    admit: () => Promise.reject(new Error("the test is broken")),
    accept: () => {
      throw new Error("not reached");
    },
  };

  test("refuses the dial, and leaves no rejection unhandled", async () => {
    const onUnhandled = vi.fn();
    process.on("unhandledRejection", onUnhandled);
    await using listening = await listen(acceptor);
    await using served = await serveStdio(acceptor);
    for (const transport of [webSocket(listening.url), stdio(served)]) {
      const error = await failureOf(ExecServerClient.connect({ transport }));
      expect(error).toMatchObject({ code: "ERR_CONNECT" });
    }
    process.off("unhandledRejection", onUnhandled);
    expect(onUnhandled).not.toHaveBeenCalled();
  });
});

test("handlers and scripts that reject leave no rejection unhandled", async () => {
  const onUnhandled = vi.fn();
  process.on("unhandledRejection", onUnhandled);
  const reject = async (): Promise<never> => {
    throw new Error("the test's own");
  };
  await using server = new TestServer();
  await using client = await ExecServerClient.connect({ transport: server.transport });
  server.handle("environment/status", reject);
  server.onCommand(["build"], reject);
  server.onFetch(reject);
  expect(await failureOf(client.status())).toMatchObject({ code: "ERR_SERVER" });
  expect(await failureOf(client.run(["build"]))).toMatchObject({ code: "ERR_PROCESS_EXIT", exitCode: 1 });
  expect(await failureOf(client.fetch("http://a.example/"))).toMatchObject({ code: "ERR_SERVER" });
  process.off("unhandledRejection", onUnhandled);
  expect(onUnhandled).not.toHaveBeenCalled();
});

/** What a reactive framework makes of an object: every object read from it is a Proxy as well. */
function deepProxy<T extends object>(target: T): T {
  return new Proxy(target, {
    get(object, name, receiver) {
      const value: unknown = Reflect.get(object, name, receiver);
      const descriptor = Object.getOwnPropertyDescriptor(object, name);
      // The invariants of a Proxy forbid to wrap these.
      if (descriptor?.configurable === false && descriptor.writable === false) return value;
      return typeof value === "object" && value !== null && !(value instanceof Promise)
        ? deepProxy(value)
        : value;
    },
  });
}

test("a test server, its connections, processes and files work through a Proxy", async () => {
  const server = deepProxy(new TestServer({ files: { "/work/a": "1" } }));
  await using client = await ExecServerClient.connect({ transport: server.transport });
  server.onCommand(["build"]);
  expect(server.files.text("/work/a")).toBe("1");
  await client.start(["build"]);
  const build = deepProxy(await server.process());
  build.stdout("done");
  build.exit();
  expect(await build.ended).toBe(0);
  const connection = deepProxy(await server.connection());
  expect(connection.isOpen).toBe(true);
  expect(server.dials).toBe(1);
  connection.drop();
  await client.disconnected;
  server.close();
});
