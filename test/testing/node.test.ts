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
  it("refuses who names an Origin, as the real server does, unless told otherwise", async () => {
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

  it("is ready, and wants an upgrade", async () => {
    await using server = new TestServer();
    await using listening = await listen(server);
    const http = listening.url.replace("ws:", "http:");
    expect((await fetch(`${http}/readyz`)).status).toBe(200);
    expect((await fetch(http)).status).toBe(426);
  });

  it("frees its port and ends every connection when it is closed, also twice", async () => {
    await using server = new TestServer();
    const listening = await listen(server);
    await using client = await ExecServerClient.connect({ transport: webSocket(listening.url) });
    (await server.connection()).freeze();
    await Promise.all([listening.close(), listening.close()]);
    await client.disconnected;
    const probe = connect(Number(new URL(listening.url).port), "127.0.0.1");
    expect((await once(probe, "error"))[0]).toMatchObject({ code: "ECONNREFUSED" });
  });

  it("carries a frame of any length", async () => {
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

  it("shows the code and reason of the client's goodbye", async () => {
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

  it("runs commands, files and requests like any other server", async () => {
    await using it = await started();
    it.server.onCommand(["git", "status"], { stdout: "clean\n" });
    it.server.files.write("/large", "x".repeat(3 * 1024 * 1024));
    expect((await it.client.run(["git", "status"])).stdout).toBe("clean\n");
    expect(await it.client.fs.readFile("/large", "utf8")).toHaveLength(3 * 1024 * 1024);
  });

  it("exits with the code a test gives, behind what it has printed", async () => {
    const lines: string[] = [];
    await using it = await started((line) => lines.push(line));
    it.child.stderr("warning: low disk\nfatal:");
    it.child.stderr(" no disk\n");
    it.child.exit(3);
    expect((await it.client.disconnected).message).toContain("code 3");
    expect(lines).toEqual(["warning: low disk", "fatal: no disk"]);
    await it.child.gone;
  });

  it("is killed by the signal a test gives", async () => {
    await using it = await started();
    it.child.kill("SIGTERM");
    expect((await it.client.disconnected).message).toContain("SIGTERM");
  });

  it("takes a line that comes in halves, and several in one piece", async () => {
    await using it = await started();
    it.server.hold("environment/status");
    const calls = [it.client.status(), it.client.status()];
    const ids = [];
    for (const n of [1, 2]) ids.push((await it.connection.request("environment/status", n)).id);
    const text = ids.map((id) => `{"id":${id},"result":{"status":"é"}}\n`).join("");
    for (const byte of Buffer.from(text)) it.connection.sendBytes(Uint8Array.of(byte));
    expect(await Promise.all(calls)).toEqual([{ status: "é" }, { status: "é" }]);
  });

  it("ends the client when it closes its output, and exits at the end of its input", async () => {
    await using it = await started();
    it.child.closeOutput();
    expect((await it.client.disconnected).message).toContain("code 0");
    await it.child.gone;
  });

  it("can't be written to when it has closed its input", async () => {
    await using it = await started();
    it.server.hold("environment/status");
    it.child.closeInput();
    // The write that finds out may come a while after the close.
    while (!it.client.isDisconnected) await it.client.status({ timeoutMs: 20 }).catch(() => {});
    expect((await it.client.disconnected).message).toContain("EPIPE");
  });

  it("shows the client's goodbye as an end, and then exits", async () => {
    await using it = await started();
    await it.client.close();
    expect(await it.connection.ended).toEqual({});
    await it.child.gone;
  });

  it("leaves no child behind when it is closed, whatever state that is in", async () => {
    using children = new Children();
    const it = await started();
    const other = await ExecServerClient.connect({ transport: stdio(it.served) });
    (await it.server.connection(2)).freeze();
    await it.served.close();
    await Promise.all([it.client.disconnected, other.disconnected, children.gone()]);
    expect(children.started).toHaveLength(2);
    it.server.close();
  });

  it("leaves no child behind when the test's process forgets it", async () => {
    using children = new Children();
    const it = await started();
    it.connection.freeze();
    // As the end of the process would: every socket is gone.
    it.connection.reset();
    await children.gone();
    await it[Symbol.asyncDispose]();
  });
});
