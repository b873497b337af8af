import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { LazyExecServerClient } from "exec-server-sdk";
import { webSocket } from "exec-server-sdk/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { codexBinary, ExecServer } from "../test/support/exec-server.ts";
import { Origin } from "../test/support/origin.ts";
import { EXAMPLES, outputOfExample, startExample } from "./support/example.ts";

const require = createRequire(import.meta.url);
/** A file of an installed package. */
const packaged = (name: string, file: string): string =>
  join(dirname(require.resolve(`${name}/package.json`)), file);

describe("the example", () => {
  let server: ExecServer;
  let folder: string;
  beforeAll(async () => {
    server = await ExecServer.start({ args: ["--concurrent-requests", "8"] });
    folder = mkdtempSync(join(tmpdir(), "example-"));
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  it("first-steps/websocket.ts prints the expected output", async () => {
    const { code, lines } = await outputOfExample("first-steps/websocket.ts", server.url);
    // Two ticks can arrive in one chunk.
    const withoutLabels = lines.map((line) => line.replace(/^stdout: /, ""));
    expect(withoutLabels).toEqual([
      "[connecting] ",
      "[connected] ",
      expect.stringMatching(/^machine: \S+ \S+$/),
      "tick 1",
      "tick 2",
      "tick 3",
      "exit code: 0",
      "file: hello from here",
      "[closed] ",
    ]);
    expect(code).toBe(0);
  });

  it("first-steps/stdio.ts prints the expected output", async () => {
    const { code, lines } = await outputOfExample("first-steps/stdio.ts", codexBinary());
    expect(lines).toEqual([
      `working directory: ${join(EXAMPLES, "first-steps")}`,
      expect.stringMatching(/^package.json has \d+ characters$/),
      expect.stringMatching(/^ls ended with \d+: .*No such file/),
    ]);
    expect(code).toBe(0);
  });

  it("mcp.ts uses an MCP server there, which exits at the end of its input", async () => {
    const program = packaged("@modelcontextprotocol/server-filesystem", "dist/index.js");
    const { code, lines } = await outputOfExample(
      "mcp/mcp.ts",
      server.url,
      folder,
      process.execPath,
      program,
      folder,
    );
    expect(lines).toEqual([
      "server: secure-filesystem-server",
      expect.stringMatching(/^tools: .*\bread_text_file\b.*\bwrite_file\b/),
      "file: hello from MCP",
      "exit code: 0",
    ]);
    expect(code).toBe(0);
  });

  it("language-server.ts uses a language server there, from initialize to its exit", async () => {
    const program = packaged("typescript-language-server", "lib/cli.mjs");
    const command = [process.execPath, program, "--stdio"];
    const { code, lines } = await outputOfExample(
      "language-server/language-server.ts",
      server.url,
      folder,
      ...command,
    );
    expect(lines).toEqual([
      expect.stringMatching(/^server: /),
      expect.stringContaining('const greeting: \\"hello\\"'),
      "defined in line 1",
      "exit code: 0",
    ]);
    expect(code).toBe(0);
  });

  it("network-policy.ts reaches the allowed host only, and logs every decision", async () => {
    await using origin = await Origin.start((response) => response.end("from the origin"));
    const port = new URL(origin.url).port;
    const script = `export NO_PROXY= no_proxy=
      curl -sS http://localhost:${port}/; echo
      curl -sS http://127.0.0.1:${port}/ | cut -c1-19
      curl -sS -m 5 --noproxy '*' http://localhost:${port}/`;
    const { code, lines } = await outputOfExample(
      "network-policy/network-policy.ts",
      server.url,
      "localhost",
      "sh",
      "-c",
      script,
    );
    expect(lines).toEqual([
      `allow: http localhost:${port} (decider)`,
      `deny: http 127.0.0.1:${port} (decider)`,
      "exit code 7",
      "from the origin",
      '{"status":"blocked"',
      expect.stringMatching(/^curl: \(7\)/),
    ]);
    expect(origin.requests).toHaveLength(1);
    expect(code).toBe(0);
  });

  it("plain-html has the file of its page before it is served", () => {
    const file = join(EXAMPLES, "plain-html/exec-server-sdk.min.js");
    rmSync(file, { force: true });
    execFileSync("npm", ["run", "prestart"], { cwd: dirname(file) });
    expect(readFileSync(file, "utf8")).toContain("LazyExecServerClient");
  });

  it("gateway.ts admits logged-in pages only, beside its HTTP server", async () => {
    const program = startExample("gateway/gateway.ts", [codexBinary()]);
    try {
      const output = createInterface(program.stdout as NodeJS.ReadableStream);
      const [line] = (await once(output, "line")) as [string];
      const origin = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0] ?? "";
      const url = `${origin.replace("http", "ws")}/exec`;
      const login = await fetch(`${origin}/login`);
      expect(await login.text()).toContain("there already");
      const cookie = login.headers.get("set-cookie")?.split(";")[0] ?? "";

      const refused = new LazyExecServerClient({ transport: webSocket(url, { headers: { origin } }) });
      await expect(refused.get()).rejects.toMatchObject({ code: "ERR_CONNECT", closeCode: 4401 });
      await using page = new LazyExecServerClient({
        transport: webSocket(url, { headers: { origin, cookie } }),
      });
      expect((await page.run(["echo", "through"])).stdout).toBe("through\n");
    } finally {
      program.kill("SIGINT");
      await once(program, "exit");
    }
  });
});
