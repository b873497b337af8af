import { expect, it } from "vitest";
import { LazyExecServerClient } from "../../src/index.ts";
import { TestServer } from "../../src/testing.ts";
import { failureOf } from "../support/failure.ts";

const text = async (stream: ReadableStream<Uint8Array>): Promise<string> =>
  await new Response(stream as never).text();

function setUp() {
  const server = new TestServer();
  const client = new LazyExecServerClient({ transport: server.transport });
  return {
    server,
    client,
    async [Symbol.asyncDispose]() {
      await client.close();
      server.close();
    },
  };
}

it("hands a connection of the app to the handler of its port, each direction with its own end", async () => {
  await using t = setUp();
  const questions: Promise<string>[] = [];
  t.server.onConnect(5432, async ({ readable, writable }) => {
    questions.push(text(readable));
    const writer = writable.getWriter();
    await writer.write(Buffer.from("answer"));
    await writer.close();
  });
  const socket = await t.client.connectTcp({ port: 5432 });
  expect(await text(socket.readable)).toBe("answer");
  const writer = socket.writable.getWriter();
  await writer.write(Buffer.from("ques"));
  await writer.write(Buffer.from("tion"));
  await writer.close();
  expect(await Promise.all(questions)).toEqual(["question"]);
  await socket.closed;
});

it("refuses a port without a handler", async () => {
  await using t = setUp();
  const remove = t.server.onConnect(80, () => {});
  await (await t.client.connectTcp({ port: 80 })).close();
  remove();
  expect(await failureOf(t.client.connectTcp({ port: 80 }))).toMatchObject({ kind: "refused" });
});

it("resets the connection when the handler aborts its writable", async () => {
  await using t = setUp();
  t.server.onConnect(80, ({ writable }) => writable.abort());
  const socket = await t.client.connectTcp({ port: 80 });
  expect(await failureOf(socket.closed)).toMatchObject({ code: "ERR_SERVER", kind: "reset" });
});

it("errors the handler's readable when the app aborts", async () => {
  await using t = setUp();
  const abort = new AbortController();
  const failures: Promise<unknown>[] = [];
  t.server.onConnect(80, ({ readable }) => failures.push(failureOf(text(readable))));
  await t.client.connectTcp({ port: 80, signal: abort.signal });
  abort.abort();
  expect(await Promise.all(failures)).toHaveLength(1);
});
