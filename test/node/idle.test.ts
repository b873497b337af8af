import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MessageChannel } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bridge, ExecServerClient, messagePort } from "../../src/index.ts";
import { unobserved } from "../../src/internal/deferred.ts";
import { type TestConnection, TestServer } from "../../src/testing.ts";
import { listen, serveStdio } from "../../src/testing-node.ts";
import { codexBinary, ExecServer, makeCodexHome } from "../support/exec-server.ts";
import { selfSigned, startTlsServer } from "../support/tls-server.ts";

const FIXTURE = fileURLToPath(new URL("../fixtures/forgets-close.ts", import.meta.url));

interface Program extends Disposable {
  readonly child: ChildProcess;
  /** Resolves when the program has printed this text. Rejects if it ends before. */
  printed(text: string): Promise<void>;
  /** Resolves with the exit code and everything that the program has printed. */
  readonly ended: Promise<{ code: number | null; output: string }>;
}

/** Runs a program that forgets `close()`. */
function forgetful(work: string, reach: object, env: Record<string, string> = {}): Program {
  const child = spawn(process.execPath, ["--import", "tsx", FIXTURE, JSON.stringify({ work, ...reach })], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_OPTIONS: "", ...env },
  });
  let output = "";
  const chunks = child.stdout.setEncoding("utf8");
  chunks.on("data", (text: string) => {
    output += text;
  });
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, output }));
  return {
    child,
    ended,
    async printed(text) {
      while (!output.includes(text)) {
        if (child.exitCode !== null) throw new Error(`the program ended after it had printed: ${output}`);
        await Promise.race([once(chunks, "data"), ended]);
      }
    },
    [Symbol.dispose]: () => void child.kill("SIGKILL"),
  };
}

type Reach = (server: TestServer) => Promise<{ reach: object; close: () => Promise<void> }>;

const KINDS: readonly (readonly [string, Reach])[] = [
  [
    "webSocket()",
    async (server) => {
      const { url, close } = await listen(server);
      return { reach: { url }, close };
    },
  ],
  [
    "stdio()",
    async (server) => {
      const served = await serveStdio(server);
      return { reach: { child: { ...served } }, close: () => served.close() };
    },
  ],
];

/** What can be pending, and what the test does to end it. `begun` resolves when the server has seen all of it. */
const PENDING: readonly {
  readonly work: string;
  readonly begun: (server: TestServer, connection: TestConnection) => Promise<unknown>;
  readonly end: (server: TestServer, connection: TestConnection) => unknown;
}[] = [
  {
    work: "a call",
    begun: (_, connection) => connection.request("environment/status"),
    end: (_, connection) => connection.drop(),
  },
  {
    work: "201 calls",
    begun: (_, connection) => connection.request("environment/status", 128),
    end: (_, connection) => connection.drop(),
  },
  { work: "a run", begun: (server) => server.process(), end: exit },
  { work: "a process", begun: (server) => server.process(), end: exit },
  {
    work: "a body",
    begun: (_, connection) => connection.request("http/request"),
    end: (_, connection) => connection.drop(),
  },
  {
    work: "a read stream",
    begun: (_, connection) => connection.request("fs/readBlock"),
    end: (_, connection) => connection.drop(),
  },
  {
    work: "a write stream",
    begun: (_, connection) => connection.request("fs/writeBlock"),
    end: (_, connection) => connection.drop(),
  },
  {
    work: "a wait for a path",
    begun: (_, connection) => connection.request("fs/watchMissing"),
    end: (server) => server.files.write("/work/later", ""),
  },
];

async function exit(server: TestServer): Promise<void> {
  (await server.process()).exit();
}

describe.each(KINDS)("a program that forgets close(), over %s,", (kind, serve) => {
  test("ends while nothing is pending", async () => {
    await using server = new TestServer();
    const { reach, close } = await serve(server);
    using program = forgetful("nothing", reach);
    expect(await program.ended).toMatchObject({ code: 0, output: expect.stringContaining("settled") });
    await close();
  });

  test.each(PENDING)(
    "does not end while $work is pending, and ends after it",
    async ({ work, begun, end }) => {
      await using server = new TestServer({ files: { "/work/large": new Uint8Array(8 * 1024 * 1024) } });
      server.onCommand(["build"]);
      server.onFetch(
        () => new Response(new ReadableStream({ start: (body) => body.enqueue(new Uint8Array(1)) })),
      );
      if (work.includes("call")) server.hold("environment/status");
      const { reach, close } = await serve(server);
      using program = forgetful(work, reach);
      const connection = await server.connection();
      await begun(server, connection);
      await program.printed("alive");
      await end(server, connection);
      expect(await program.ended).toMatchObject({ code: 0, output: expect.stringMatching(/settled|failed/) });
      await close();
    },
  );

  test("does not end before it has answered the server's request", async () => {
    await using server = new TestServer();
    const proceed = server.hold("environment/status");
    const { reach, close } = await serve(server);
    using program = forgetful("a request of the server", reach);
    const connection = await server.connection();
    await connection.request("environment/status");
    const request = { protocol: "http", host: "a.test", port: 80 };
    const answer = unobserved(connection.ask("network/policyRequest", { processId: "p", request }));
    proceed();
    expect(await program.ended).toMatchObject({ code: 0, output: expect.stringMatching(/settled\nalive/) });
    // A child is killed with the program, perhaps before it has forwarded the answer.
    if (kind === "webSocket()") expect(await answer).toEqual({ decision: { type: "allow" } });
    else await answer.catch(() => {});
    await close();
  });
});

test("a program that forgets close() ends while nothing is pending, over TLS", async () => {
  const certificate = selfSigned("localhost");
  await using tls = await startTlsServer(certificate);
  const directory = mkdtempSync(join(tmpdir(), "authority-"));
  const authority = join(directory, "ca.pem");
  writeFileSync(authority, certificate.cert);
  using program = forgetful("nothing", { url: tls.url }, { NODE_EXTRA_CA_CERTS: authority });
  expect(await program.ended).toMatchObject({ code: 0, output: expect.stringContaining("settled") });
  rmSync(directory, { recursive: true });
});

test("a child of stdio() does not outlive a program that forgets close()", async () => {
  await using server = new TestServer();
  await using served = await serveStdio(server);
  using program = forgetful("nothing", { child: { ...served } });
  expect(await program.ended).toMatchObject({ code: 0 });
  await (await served.child()).gone;
});

test("a message port keeps a Node process alive only while something is pending", async () => {
  await using server = new TestServer();
  const { port1, port2 } = new MessageChannel();
  // Missing in the types.
  const hasRef = (): boolean => (port1 as unknown as { hasRef(): boolean }).hasRef();
  const running = bridge(port2, server.transport);
  const client = await ExecServerClient.connect({ transport: messagePort(port1) });
  expect(hasRef()).toBe(false);
  const answer = server.hold("environment/status");
  const call = client.status();
  expect(hasRef()).toBe(true);
  answer();
  await call;
  expect(hasRef()).toBe(false);
  await client.close();
  await running.ended;
});

describe("a program that forgets close() of a real server", () => {
  let server: ExecServer;
  beforeAll(async () => {
    server = await ExecServer.start({ args: ["--concurrent-requests", "8"] });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test("ends after commands, files, terminals and aborts, over webSocket()", async () => {
    using program = forgetful("everything", { url: server.url });
    expect(await program.ended).toMatchObject({ code: 0, output: expect.stringContaining("settled") });
  });

  test("ends after commands, files, terminals and aborts, over stdio()", async () => {
    const args = ["exec-server", "--listen", "stdio", "--concurrent-requests", "8"];
    const reach = { child: { command: codexBinary(), args } };
    using program = forgetful("everything", reach, { CODEX_HOME: makeCodexHome() });
    expect(await program.ended).toMatchObject({ code: 0, output: expect.stringContaining("settled") });
  });
});
