import { expect, it } from "vitest";
import { ExecServerClient, LazyExecServerClient } from "../../src/index.ts";
import { TestServer } from "../../src/testing.ts";

/** What reactive frameworks make of an object: a Proxy that wraps what it returns, too. */
function deepProxy<T extends object>(target: T): T {
  return new Proxy(target, {
    get(object, key, receiver) {
      const value: unknown = Reflect.get(object, key, receiver);
      const { writable, configurable } = Object.getOwnPropertyDescriptor(object, key) ?? {};
      const isFixed = writable === false && configurable === false;
      return typeof value === "object" && value !== null && !isFixed ? deepProxy(value) : value;
    },
  });
}

it("a lazy client works through a deep Proxy", async () => {
  await using server = new TestServer();
  server.onCommand(["echo", "a"], { stdout: "a\n" });
  const client = deepProxy(new LazyExecServerClient({ transport: server.transport }));
  expect(client.state).toBe("idle");
  expect(await client.status()).toEqual({ status: "ready" });
  expect((await client.run(["echo", "a"])).stdout).toBe("a\n");
  expect(client.timeline).toHaveLength(2);
  const states: string[] = [];
  client.onStateChange(({ state }) => states.push(state));
  await client.close();
  expect(states).toEqual(["closed"]);
});

it("a connected client works through a deep Proxy", async () => {
  await using server = new TestServer();
  const client = deepProxy(await ExecServerClient.connect({ transport: server.transport }));
  expect(client.isDisconnected).toBe(false);
  expect(await client.status()).toEqual({ status: "ready" });
  await client.close();
  expect(client.isDisconnected).toBe(true);
});

it("a client is marked for Vue to leave it alone", () => {
  const client = new LazyExecServerClient({ transport: new TestServer().transport });
  expect(client).toHaveProperty("__v_skip", true);
  expect(Object.keys(client)).not.toContain("__v_skip");
});
