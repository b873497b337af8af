import assert from "node:assert/strict";
import { createGateway } from "../../src/gateway.ts";
import { type ExecEnvironment, LazyExecServerClient } from "../../src/index.ts";
import { stdio, webSocket } from "../../src/node.ts";
import { makeCodexHome } from "../support/exec-server.ts";
import { GZIPPED, Stage } from "./stage.ts";

/** What an app does: a command, a process, a file, a request. */
async function use(client: ExecEnvironment, { origin, directory }: Stage): Promise<void> {
  assert.equal((await client.run(["echo", "hello"])).stdout, "hello\n");
  await assert.rejects(client.run(["missing-program"]), { kind: "not-found", missing: "program" });
  await assert.rejects(client.run(["pwd"], { cwd: "/missing" }), { kind: "not-found", missing: "cwd" });
  await assert.rejects(client.run(["sh", "-c", "exit 7"]), { code: "ERR_PROCESS_EXIT", exitCode: 7 });
  const cat = await client.start(["cat"], { stdin: "pipe" });
  await cat.write("through a pipe");
  const { value } = await cat.stdout.getReader().read();
  assert.equal(Buffer.from(value ?? []).toString(), "through a pipe");
  await cat.terminate();
  const path = `${directory}/file`;
  await client.fs.writeFile(path, "in a file");
  assert.equal(await client.fs.readFile(path, "utf8"), "in a file");
  await assert.rejects(client.fs.readFile(`${path}.missing`), { kind: "not-found" });
  assert.deepEqual(await (await client.fetch(`${origin.url}/gzip`)).json(), GZIPPED);
}

/** The story on one server: directly with the loss of the connection, over stdio, and through a gateway. */
export async function story(binary: string): Promise<void> {
  await using stage = await Stage.start(binary);
  const { client, server } = stage;
  await use(client, stage);
  const { sessionId } = await client.get();
  const running = await client.start(["sleep", "600"]);
  await server.restart();
  await assert.rejects(running.exited, { code: "ERR_DISCONNECTED" });
  const again = await Promise.all([client.get(), client.get(), client.get()]);
  assert.equal(new Set(again).size, 1);
  assert.notEqual(again[0]?.sessionId, sessionId);
  await use(client, stage);

  const env = { CODEX_HOME: makeCodexHome() };
  const transport = stdio({ command: binary, args: ["exec-server", "--listen", "stdio"], env });
  await using child = new LazyExecServerClient({ transport });
  await use(child, stage);

  await throughGateway(stage);
}

async function throughGateway(stage: Stage): Promise<void> {
  const token = "a-token-of-the-story";
  const origin = "http://page.test";
  const upstream = webSocket(stage.server.url);
  const gateway = createGateway({ upstream, allowedOrigins: [origin], authorize: { token } });
  try {
    const { url } = await gateway.listen();
    const options = { protocols: ["exec-server-gateway", token], headers: { origin } };
    await using page = new LazyExecServerClient({ transport: webSocket(url, options) });
    await use(page, stage);
  } finally {
    await gateway.close();
  }
}
