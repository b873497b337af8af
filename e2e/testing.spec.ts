import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { build } from "esbuild";

/** Uses a test server in a page, as the tests of an app do. */
const SCENARIO = `
  import { LazyExecServerClient } from "exec-server-sdk";
  import { TestServer } from "exec-server-sdk/testing";

  globalThis.scenario = async () => {
    const server = new TestServer({ files: { "/src/a.txt": "hello" } });
    server.onCommand(["make"], async (process) => {
      for await (const text of process.stdin) process.stdout("got " + text);
    });
    server.onFetch(({ url }) => Response.json({ url }));
    const client = new LazyExecServerClient({ transport: server.transport });
    const text = await client.fs.readFile("/src/a.txt", "utf8");
    const fetched = await (await client.fetch("http://localhost:3000/health")).json();
    const make = await client.start(["make"], { stdin: "pipe" });
    await make.write("input");
    const { value } = await make[Symbol.asyncIterator]().next();
    const output = new TextDecoder().decode(value.chunk);
    const acceptDials = server.refuseDials({ status: 503 });
    (await server.connection()).drop();
    const failure = await make.closed.catch((error) => error.code);
    const down = await client.status().catch((error) => [error.code, error.status]);
    acceptDials();
    const up = await client.status();
    await client.close();
    return { text, fetched, output, failure, down, up };
  };
`;

test("a test server works in a page", async ({ page }) => {
  const { outputFiles } = await build({
    stdin: { contents: SCENARIO, resolveDir: join(import.meta.dirname, "..") },
    bundle: true,
    platform: "browser",
    format: "iife",
    write: false,
  });
  await page.addScriptTag({ content: outputFiles[0]?.text ?? "" });
  const outcome = await page.evaluate(() =>
    (globalThis as unknown as { scenario: () => unknown }).scenario(),
  );
  expect(outcome).toEqual({
    text: "hello",
    fetched: { url: "http://localhost:3000/health" },
    output: "got input",
    failure: "ERR_DISCONNECTED",
    down: ["ERR_CONNECT", 503],
    up: { status: "ready" },
  });
});
