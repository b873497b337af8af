import { Duplex } from "node:stream";
import { Client } from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Postgres } from "../support/postgres.ts";
import { realClient } from "../support/real-client.ts";

let postgres: Postgres;
beforeAll(async () => {
  postgres = await Postgres.start();
});
afterAll(() => postgres[Symbol.asyncDispose]());

/** A client of the database, over a connection that the exec-server's machine has made. */
async function setUp() {
  const real = await realClient();
  const socket = await real.client.connectTcp({ port: postgres.port });
  const { readable, writable } = socket;
  const stream = Duplex.fromWeb({ readable, writable } as never);
  const connect = (): void => process.nextTick(() => stream.emit("connect"));
  const database = new Client({
    stream: () => Object.assign(stream, { connect, setNoDelay() {} }),
    user: "postgres",
    database: "postgres",
  });
  await database.connect();
  return {
    database,
    socket,
    async [Symbol.asyncDispose]() {
      await socket.close();
      await real[Symbol.asyncDispose]();
    },
  };
}

it("a database client works over the connection: parameters, errors, transactions, and its end", async () => {
  await using t = await setUp();
  await t.database.query("create table cities (name text, people bigint)");
  for (const city of [
    ["Köln", 1_087_000],
    ["Lyon", 522_000],
  ]) {
    await t.database.query("insert into cities values ($1, $2)", city);
  }
  const { rows } = await t.database.query("select name from cities where people > $1", [1_000_000]);
  expect(rows).toEqual([{ name: "Köln" }]);
  await expect(t.database.query("select * from missing")).rejects.toMatchObject({ code: "42P01" });
  await t.database.query("begin");
  await t.database.query("delete from cities");
  await t.database.query("rollback");
  expect((await t.database.query("select count(*)::int from cities")).rows).toEqual([{ count: 2 }]);
  await t.database.end();
  await t.socket.closed;
});

it("a result of 20 MB arrives whole", async () => {
  await using t = await setUp();
  const { rows } = await t.database.query(
    "select n, repeat(chr(97 + n % 26), 1000) as text from generate_series(1, 20000) n",
  );
  expect(rows).toHaveLength(20_000);
  expect(rows.every(({ n, text }) => text === String.fromCharCode(97 + (n % 26)).repeat(1000))).toBe(true);
  await t.database.end();
});
