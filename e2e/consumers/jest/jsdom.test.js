/** @jest-environment jsdom */
const { LazyExecServerClient, webSocket } = require("exec-server-sdk");
const { TestServer } = require("exec-server-sdk/testing");
const { useForeignValues } = require("./foreign.cjs");
const { codex, expected, gateway, home, protocols } = require("./parameters.cjs");

// jsdom has no Response, so nothing is fetched.
const { fetched, ...rest } = expected;

test("uses a real server through a gateway, with values of jsdom", async () => {
  const client = new LazyExecServerClient({ transport: webSocket(gateway, { protocols }) });
  expect(await useForeignValues(client, window)).toEqual(rest);
  await client.close();
});

test("uses a real server with values of Node's realm", async () => {
  const client = new LazyExecServerClient({ transport: webSocket(gateway, { protocols }) });
  const realm = { Uint8Array: Object.getPrototypeOf(Buffer), DataView, URL, AbortController };
  expect(await useForeignValues(client, realm)).toEqual(rest);
  await client.close();
});

test("uses a test server", async () => {
  const server = new TestServer({ files: { "/a": "text" } });
  server.onCommand(["echo", "hello"], { stdout: new Uint8Array([104, 105]) });
  const client = new LazyExecServerClient({ transport: server.transport });
  await client.fs.writeFile("/b", new Uint8Array([104, 105]));
  expect(await client.fs.readFile("/a", "utf8")).toBe("text");
  expect(server.files.text("/b")).toBe("hi");
  expect((await client.run(["echo", "hello"])).stdout).toBe("hi");
  await client.close();
});

test("says what fetch() lacks", async () => {
  const client = new LazyExecServerClient({ transport: webSocket(gateway, { protocols }) });
  await expect(client.fetch("http://127.0.0.1:1/")).rejects.toMatchObject({ code: "ERR_UNSUPPORTED" });
  await client.close();
});

test("uses a server that the entry for Node spawns", async () => {
  const { stdio } = require("exec-server-sdk/node");
  const transport = stdio({
    command: codex,
    args: ["exec-server", "--listen", "stdio"],
    env: { CODEX_HOME: home },
  });
  const client = new LazyExecServerClient({ transport });
  expect(await useForeignValues(client, window)).toEqual(rest);
  await client.close();
});
