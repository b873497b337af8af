import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { LazyExecServerClient } from "../../src/index.ts";
import { forwardPort, webSocket } from "../../src/node.ts";
import { gone } from "../support/command-lines.ts";
import { ExecServer } from "../support/exec-server.ts";
import { failureOf } from "../support/failure.ts";
import { outcome, received, TcpPeer } from "../support/tcp-peer.ts";

async function setUp() {
  const server = await ExecServer.start();
  const client = new LazyExecServerClient({ transport: webSocket(server.url) });
  const peer = await TcpPeer.listen();
  const errors: unknown[] = [];
  const forward = await forwardPort(client, {
    remotePort: peer.port,
    onError: (error) => errors.push(error),
  });
  return {
    server,
    client,
    peer,
    errors,
    forward,
    /** Both ends of a connection through the forwarded port. */
    async open(): Promise<{ near: Socket; far: Socket }> {
      const near = connect({ port: forward.port, host: "127.0.0.1", allowHalfOpen: true });
      const [far] = await Promise.all([peer.accept(), once(near, "connect")]);
      return { near, far };
    },
    async [Symbol.asyncDispose]() {
      await forward.close();
      await client.close();
      await peer[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe("forwardPort", () => {
  it("connects nothing before the first connection, and listens on loopback", async () => {
    await using t = await setUp();
    expect(t.client.state).toBe("idle");
    expect(t.forward.url).toBe(`http://127.0.0.1:${t.forward.port}`);
  });

  it("serves fetch", async () => {
    await using t = await setUp();
    const origin = createServer((_, response) => response.end("served there"));
    origin.listen(0, "127.0.0.1");
    await once(origin, "listening");
    const { port } = origin.address() as AddressInfo;
    await using forward = await forwardPort(t.client, { remotePort: port });
    expect(await (await fetch(forward.url)).text()).toBe("served there");
    origin.close();
    origin.closeAllConnections();
  });

  it("passes everything on in both directions, and each end on its own", async () => {
    await using t = await setUp();
    const { near, far } = await t.open();
    const there = randomBytes(5_000_000);
    const back = randomBytes(5_000_000);
    near.end(there);
    expect((await received(far)).equals(there)).toBe(true);
    far.end(back);
    expect((await received(near)).equals(back)).toBe(true);
    await once(near, "close");
    expect(t.errors).toEqual([]);
    await expect.poll(() => t.peer.size).toBe(0);
  });

  it("resets the other side when either one is reset", async () => {
    await using t = await setUp();
    const first = await t.open();
    const farOutcome = outcome(first.far);
    first.near.resetAndDestroy();
    expect(await farOutcome).toBe("ECONNRESET");
    expect(t.errors).toEqual([]);
    const second = await t.open();
    const nearOutcome = outcome(second.near);
    second.far.resetAndDestroy();
    expect(await nearOutcome).toBe("ECONNRESET");
    expect(t.errors).toMatchObject([{ code: "ERR_SERVER", kind: "reset" }]);
  });

  it("reports a connection that can't be made, and goes on listening", async () => {
    await using t = await setUp();
    const closed = await TcpPeer.listen();
    const { port } = closed;
    await closed[Symbol.asyncDispose]();
    const errors: unknown[] = [];
    const onError = (error: unknown): never => {
      errors.push(error);
      throw new Error("a callback that throws");
    };
    await using forward = await forwardPort(t.client, { remotePort: port, onError });
    for (const count of [1, 2]) {
      expect(await outcome(connect(forward.port, "127.0.0.1"))).toBe("ECONNRESET");
      expect(errors).toHaveLength(count);
    }
    expect(errors).toMatchObject([{ kind: "refused" }, { kind: "refused" }]);
  });

  it("ends every connection with close(), and listens no more", async () => {
    await using t = await setUp();
    const pairs = [await t.open(), await t.open()];
    const outcomes = pairs.flatMap(({ near, far }) => [outcome(near), outcome(far)]);
    await t.forward.close();
    await t.forward.close();
    expect(await Promise.all(outcomes)).toEqual(outcomes.map(() => "ECONNRESET"));
    expect(t.errors).toEqual([]);
    expect(await outcome(connect(t.forward.port, "127.0.0.1"))).toBe("ECONNREFUSED");
    await gone(String(t.peer.port));
  });

  it("survives a restart of the server: the next connection is made in a fresh session", async () => {
    await using t = await setUp();
    const { near } = await t.open();
    const lost = outcome(near);
    await t.server.restart();
    expect(await lost).toBe("ECONNRESET");
    expect(t.errors).toMatchObject([{ code: "ERR_DISCONNECTED" }]);
    const { near: again, far } = await t.open();
    far.end("hello");
    expect(String(await received(again))).toBe("hello");
    again.end();
  });

  it("rejects a port that is taken, and options that are wrong", async () => {
    await using t = await setUp();
    const { port } = t.forward;
    const taken = forwardPort(t.client, { remotePort: 80, port });
    expect(await failureOf(taken)).toMatchObject({ code: "EADDRINUSE" });
    for (const options of [
      undefined,
      {},
      { remotePort: 0 },
      { remotePort: 80, port: -1 },
      // Node would listen on every interface.
      { remotePort: 80, host: "" },
      { remotePort: 80, host: "127.0.0.1 " },
      { remotePort: 80, x: 1 },
    ]) {
      const failure = await failureOf(forwardPort(t.client, options as never));
      expect(failure).toMatchObject({ code: "ERR_INVALID_ARGUMENT" });
    }
    expect(await failureOf(forwardPort({} as never, { remotePort: 80 }))).toMatchObject({
      code: "ERR_INVALID_ARGUMENT",
    });
  });
});
