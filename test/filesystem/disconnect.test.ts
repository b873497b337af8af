import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DisconnectedError, LazyExecServerClient, webSocket } from "../../src/index.ts";
import { deferred } from "../../src/internal/deferred.ts";
import { TestServer } from "../../src/testing.ts";
import { failureOf } from "../support/failure.ts";
import { freeze, OPERATIONS, PREPARE } from "../support/operations.ts";
import { Relay } from "../support/relay.ts";
import { realFiles } from "../support/remote-files.ts";

const MIB = 1024 * 1024;

/** A lazy client of a server that tests kill and restart. */
async function startServer() {
  const real = await realFiles();
  const relay = await Relay.start(real.server.url);
  const lazy = new LazyExecServerClient({ transport: webSocket(relay.url) });
  return { ...real, relay, lazy };
}

let setup: Awaited<ReturnType<typeof startServer>>;
beforeAll(async () => {
  setup = await startServer();
  await setup.sh(`${PREPARE}; head -c 100000000 /dev/zero > huge`);
});
beforeEach(async () => {
  if (setup.server.pid === undefined) await setup.server.restart();
});
afterAll(async () => {
  await setup.lazy.close();
  await setup.relay[Symbol.asyncDispose]();
  await setup[Symbol.asyncDispose]();
});

/** Restarts the server and checks that the next operation uses a new session. */
async function expectFreshSession(lost: string): Promise<void> {
  await setup.server.restart();
  expect(await setup.lazy.fs.exists(setup.path("small"))).toBe(true);
  expect((await setup.lazy.get()).sessionId).not.toBe(lost);
}

describe("when the server is killed during the first request", () => {
  it.each(Object.entries(OPERATIONS))(
    "%s rejects once as disconnected and is not sent again",
    async (_, operation) => {
      const { relay, server, lazy } = setup;
      const { sessionId } = await lazy.get();
      const before = relay.received.length;
      const sent = () => relay.received.slice(before).filter(({ method }) => method?.startsWith("fs/"));
      await freeze(server.pid as number);
      const failed = failureOf(operation.act(lazy.fs, setup.path));
      await relay.until(() => sent().length > 0);
      await server.kill("SIGKILL");
      const error = await failed;
      expect(error).toBeInstanceOf(DisconnectedError);
      expect(error).toMatchObject({
        code: "ERR_DISCONNECTED",
        delivery: "unknown",
        closeCode: 1006,
        sessionId,
      });
      await expectFreshSession(sessionId);
      expect(sent().map(({ method }) => method)).toEqual([operation.method, "fs/getMetadata"]);
    },
  );
});

describe("when the server is killed between blocks", () => {
  it.each<[string, (onProgress: () => void) => Promise<unknown>]>([
    ["readFile", (onProgress) => setup.lazy.fs.readFile(setup.path("huge"), { onProgress })],
    [
      "writeFile",
      (onProgress) => setup.lazy.fs.writeFile(setup.path("out"), new Uint8Array(90 * MIB), { onProgress }),
    ],
    [
      "createReadStream",
      async (onProgress) => {
        for await (const _ of setup.lazy.fs.createReadStream(setup.path("huge"), { onProgress }));
      },
    ],
    [
      "createWriteStream",
      async (onProgress) => {
        const writer = setup.lazy.fs.createWriteStream(setup.path("out"), { onProgress }).getWriter();
        for (let i = 0; i < 90; i++) await writer.write(new Uint8Array(MIB));
        await writer.close();
      },
    ],
  ])("%s rejects as disconnected and sends nothing twice", async (name, work) => {
    const { relay, server, lazy } = setup;
    const { sessionId } = await lazy.get();
    const before = relay.received.length;
    const killed = deferred<void>();
    let blocks = 0;
    const error = await failureOf(
      work(() => {
        if (++blocks === 3) server.kill("SIGKILL").then(killed.resolve, killed.reject);
      }),
    );
    await killed.promise;
    expect(error).toMatchObject({
      code: "ERR_DISCONNECTED",
      delivery: expect.stringMatching(/unknown|not-sent/),
      sessionId,
    });
    if (/write/i.test(name)) {
      expect((error as DisconnectedError).bytesWritten).toBeGreaterThanOrEqual(3 * MIB);
      expect((error as DisconnectedError).bytesWritten).toBeLessThan(90 * MIB);
    }
    await expectFreshSession(sessionId);
    const offsets = relay.received
      .slice(before)
      .filter(({ method }) => /Block$/.test(method ?? ""))
      .map(({ params }) => params?.["offset"]);
    expect(new Set(offsets).size).toBe(offsets.length);
    expect(relay.received.slice(before).filter(({ method }) => method === "fs/open")).toHaveLength(1);
  });

  it("a read stream yields the blocks that had arrived and then the error, however late it is read", async () => {
    const { server, lazy } = setup;
    const client = await lazy.get();
    const reader = client.fs.createReadStream(setup.path("huge")).getReader();
    await reader.read();
    await client.status();
    await server.kill("SIGKILL");
    await client.disconnected;
    let more = 0;
    const rest = async (): Promise<void> => {
      while (!(await reader.read()).done) more++;
    };
    expect(await failureOf(rest())).toMatchObject({ code: "ERR_DISCONNECTED" });
    expect(more).toBe(4);
    expect(await failureOf(reader.closed)).toMatchObject({ code: "ERR_DISCONNECTED" });
    expect(await failureOf(client.fs.readFile(setup.path("small")))).toMatchObject({
      code: "ERR_DISCONNECTED",
      delivery: "not-sent",
    });
  });

  it("a write stream errors at once, although nothing is being written", async () => {
    const { server, lazy } = setup;
    const client = await lazy.get();
    const writer = client.fs.createWriteStream(setup.path("waits")).getWriter();
    await writer.write(new Uint8Array(2 * MIB));
    const closed = failureOf(writer.closed);
    await server.kill("SIGKILL");
    expect(await closed).toMatchObject({
      code: "ERR_DISCONNECTED",
      operation: "createWriteStream",
      path: setup.path("waits"),
      bytesWritten: expect.any(Number),
    });
    expect(await failureOf(writer.write(new Uint8Array(1)))).toBe(await closed);
  });

  it("a write stream errors if the connection ends in the turn in which its file was opened", async () => {
    for (let turns = 0; turns < 10; turns++) {
      const server = new TestServer();
      await using lazy = new LazyExecServerClient({ transport: server.transport });
      await lazy.get();
      const release = server.hold("fs/open");
      const writer = lazy.fs.createWriteStream("/tmp/file").getWriter();
      void failureOf(writer.write(new Uint8Array(1))).catch(() => {});
      const connection = await server.connection();
      await connection.request("fs/open");
      release();
      for (let turn = 0; turn < turns; turn++) await undefined;
      connection.reset();
      expect(await failureOf(writer.closed)).toMatchObject({ code: "ERR_DISCONNECTED" });
    }
  });

  it("writeFile of a stream that has yielded nothing says that nothing was sent", async () => {
    const { server, lazy } = setup;
    await lazy.get();
    const failed = failureOf(lazy.fs.writeFile(setup.path("waits"), new ReadableStream<Uint8Array>()));
    await server.kill("SIGKILL");
    expect(await failed).toMatchObject({ code: "ERR_DISCONNECTED", delivery: "not-sent" });
  });

  it.each<[string, (data: ReadableStream<Uint8Array>) => Promise<void>]>([
    ["writeFile", (data) => setup.lazy.fs.writeFile(setup.path("waits"), data)],
    [
      "writeFile with a mode",
      (data) => setup.lazy.fs.writeFile(setup.path("private"), data, { mode: 0o600 }),
    ],
    ["appendFile", (data) => setup.lazy.fs.appendFile(setup.path("log"), data)],
    ["unpackDirectory", (data) => setup.lazy.fs.unpackDirectory(setup.path("."), data)],
  ])("%s rejects although it waits for its source, which is cancelled", async (name, write) => {
    const { server, lazy } = setup;
    await lazy.get();
    const asked = deferred<void>();
    const cancelled = deferred<void>();
    let pulls = 0;
    const data = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (pulls++ < 2) controller.enqueue(new Uint8Array(MIB));
        else asked.resolve();
      },
      cancel: () => cancelled.resolve(),
    });
    const failed = failureOf(write(data));
    await asked.promise;
    await server.kill("SIGKILL");
    expect(await failed).toMatchObject({ code: "ERR_DISCONNECTED", operation: name.replace(/ .*/, "") });
    await cancelled.promise;
  });

  it("whenAppears() rejects although the server has already confirmed the watch", async () => {
    const { server, lazy, relay } = setup;
    const client = await lazy.get();
    const before = relay.count("fs/watchMissing");
    const waiting = failureOf(lazy.fs.whenAppears([setup.path("none")]));
    await relay.request("fs/watchMissing", before + 1);
    await client.status();
    await server.kill("SIGKILL");
    expect(await waiting).toMatchObject({ code: "ERR_DISCONNECTED", sessionId: client.sessionId });
  });
});

it("closing the client rejects every operation in flight as closed", async () => {
  const { server } = setup;
  const lazy = new LazyExecServerClient({ transport: webSocket(server.url) });
  await lazy.get();
  const failures = Object.values(OPERATIONS).map(({ act }) => failureOf(act(lazy.fs, setup.path)));
  await lazy.close();
  for (const error of await Promise.all(failures)) {
    expect(error).toMatchObject({ code: "ERR_CLOSED" });
  }
});
