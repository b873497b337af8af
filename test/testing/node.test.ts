import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { ExecServerClient, webSocket } from "../../src/index.ts";
import { webSocket as nodeWebSocket, stdio } from "../../src/node.ts";
import { TestServer } from "../../src/testing.ts";
import { listen, serveStdio } from "../../src/testing-node.ts";
import { Children } from "../support/children.ts";
import { failureOf } from "../support/failure.ts";

describe("listen()", () => {
  it("rejects an upgrade with an Origin as the real server does, unless allowOrigin is true", async () => {
    await using server = new TestServer();
    await using strict = await listen(server);
    await using open = await listen(server, { allowOrigin: true });
    const headers = { origin: "https://ide.example" };
    expect(
      await failureOf(ExecServerClient.connect({ transport: nodeWebSocket(strict.url, { headers }) })),
    ).toMatchObject({ status: 403 });
    await using client = await ExecServerClient.connect({ transport: nodeWebSocket(open.url, { headers }) });
    expect(client.sessionId).toBe("session-1");
  });

  it("answers /readyz, and requires an upgrade elsewhere", async () => {
    await using server = new TestServer();
    await using listening = await listen(server);
    const http = listening.url.replace("ws:", "http:");
    expect((await fetch(`${http}/readyz`)).status).toBe(200);
    expect((await fetch(http)).status).toBe(426);
  });

  it("frees its port and ends every connection when it is closed, even twice", async () => {
    await using server = new TestServer();
    const listening = await listen(server);
    await using client = await ExecServerClient.connect({ transport: webSocket(listening.url) });
    (await server.connection()).freeze();
    await Promise.all([listening.close(), listening.close()]);
    await client.disconnected;
    const probe = connect(Number(new URL(listening.url).port), "127.0.0.1");
    expect((await once(probe, "error"))[0]).toMatchObject({ code: "ECONNREFUSED" });
  });

  it("sends frames with each of the three length encodings", async () => {
    await using server = new TestServer();
    await using listening = await listen(server);
    await using client = await ExecServerClient.connect({ transport: webSocket(listening.url) });
    const connection = await server.connection();
    server.hold("echo");
    for (const length of [125, 126, 65_535, 65_536]) {
      const call = client.call("echo");
      const { id } = await connection.request("echo", server.requests("echo").length + 1);
      const head = `{"id":${id},"result":"`;
      connection.send(`${head}${"x".repeat(length - head.length - 2)}"}`);
      expect(String(await call)).toHaveLength(length - head.length - 2);
    }
  });

  it("reports the code and reason of the client's close", async () => {
    await using server = new TestServer();
    await using listening = await listen(server);
    const client = await ExecServerClient.connect({ transport: webSocket(listening.url) });
    await client.close();
    expect(await (await server.connection()).ended).toEqual({ closeCode: 1000, reason: "" });
  });
});

describe("serveStdio()", () => {
  async function started(stderr?: (line: string) => void) {
    const server = new TestServer();
    const served = await serveStdio(server);
    const client = await ExecServerClient.connect({
      transport: stdio({ ...served, stderr: stderr ?? "ignore" }),
    });
    return {
      server,
      served,
      client,
      connection: await server.connection(),
      child: await served.child(),
      async [Symbol.asyncDispose]() {
        await client.close();
        await served.close();
        server.close();
      },
    };
  }

  it("serves commands and files", async () => {
    await using t = await started();
    t.server.onCommand(["git", "status"], { stdout: "clean\n" });
    t.server.files.write("/large", "x".repeat(3 * 1024 * 1024));
    expect((await t.client.run(["git", "status"])).stdout).toBe("clean\n");
    expect(await t.client.fs.readFile("/large", "utf8")).toHaveLength(3 * 1024 * 1024);
  });

  it("exits with the given code, after its output", async () => {
    const lines: string[] = [];
    await using t = await started((line) => lines.push(line));
    t.child.stderr("warning: low disk\nfatal:");
    t.child.stderr(" no disk\n");
    t.child.exit(3);
    expect((await t.client.disconnected).message).toContain("code 3");
    expect(lines).toEqual(["warning: low disk", "fatal: no disk"]);
    await t.child.gone;
  });

  it("is killed by the given signal", async () => {
    await using t = await started();
    t.child.kill("SIGTERM");
    expect((await t.client.disconnected).message).toContain("SIGTERM");
  });

  it("sends responses byte by byte", async () => {
    await using t = await started();
    t.server.hold("environment/status");
    const calls = [t.client.status(), t.client.status()];
    const ids = [];
    for (const n of [1, 2]) ids.push((await t.connection.request("environment/status", n)).id);
    const text = ids.map((id) => `{"id":${id},"result":{"status":"é"}}\n`).join("");
    for (const byte of Buffer.from(text)) t.connection.sendBytes(Uint8Array.of(byte));
    expect(await Promise.all(calls)).toEqual([{ status: "é" }, { status: "é" }]);
  });

  it("disconnects the client when it closes its output, and exits at the end of its input", async () => {
    await using t = await started();
    t.child.closeOutput();
    expect((await t.client.disconnected).message).toContain("code 0");
    await t.child.gone;
  });

  it("fails writes of the client after it has closed its input", async () => {
    await using t = await started();
    t.server.hold("environment/status");
    t.child.closeInput();
    // The close takes effect asynchronously, so an early write can still succeed.
    while (!t.client.isDisconnected) await t.client.status({ timeoutMs: 20 }).catch(() => {});
    expect((await t.client.disconnected).message).toContain("EPIPE");
  });

  it("reports the client's close as an end, then exits", async () => {
    await using t = await started();
    await t.client.close();
    expect(await t.connection.ended).toEqual({});
    await t.child.gone;
  });

  it("leaves no child running when it is closed, even a frozen one", async () => {
    using children = new Children();
    const t = await started();
    const other = await ExecServerClient.connect({ transport: stdio(t.served) });
    (await t.server.connection(2)).freeze();
    await t.served.close();
    await Promise.all([t.client.disconnected, other.disconnected, children.gone()]);
    expect(children.started).toHaveLength(2);
    t.server.close();
  });

  it("leaves no child running when the test's process ends", async () => {
    using children = new Children();
    const t = await started();
    t.connection.freeze();
    // Closes the control socket, as the end of the process does.
    t.connection.reset();
    await children.gone();
    await t[Symbol.asyncDispose]();
  });
});
