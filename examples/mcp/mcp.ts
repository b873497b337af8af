/**
 * An MCP server that runs on the exec-server's machine and speaks over its standard input and output, used with the client
 * of the MCP SDK.
 *
 *   npm run server
 *   npm start
 *   npx tsx mcp.ts ws://127.0.0.1:8080 /tmp mcp-server-filesystem /tmp
 */
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { ReadBuffer, serializeMessage } from "@modelcontextprotocol/sdk/shared/stdio.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types.js";
import { type ExecProcess, LazyExecServerClient } from "exec-server-sdk";
import { webSocket } from "exec-server-sdk/node";

/** Milliseconds that a server has to exit after the end of its input. */
const GRACE_MS = 5_000;

/** Messages of MCP, one in each line, over the standard input and output of a process. */
class ProcessTransport implements Transport {
  onmessage?: (message: JSONRPCMessage) => void;
  onerror?: (error: Error) => void;
  onclose?: () => void;
  readonly #process: ExecProcess;

  /** @param process Started with `stdin: "pipe"`. */
  constructor(process: ExecProcess) {
    this.#process = process;
  }

  async start(): Promise<void> {
    void this.#read();
  }

  async send(message: JSONRPCMessage): Promise<void> {
    await this.#process.write(serializeMessage(message));
  }

  /** Ends the input, at which a server exits; one that does not is terminated. */
  async close(): Promise<void> {
    const timer = setTimeout(() => void this.#process.terminate(), GRACE_MS);
    try {
      await this.#process.stdin.close();
      await this.#process.closed;
    } finally {
      clearTimeout(timer);
    }
  }

  async #read(): Promise<void> {
    const buffer = new ReadBuffer();
    try {
      for await (const chunk of this.#process.stdout) {
        buffer.append(Buffer.from(chunk));
        for (let message = buffer.readMessage(); message; message = buffer.readMessage()) {
          this.onmessage?.(message);
        }
      }
    } catch (error) {
      this.onerror?.(error as Error);
      await this.#process.terminate().catch(() => {});
    }
    // The process has exited or the connection has ended: pending requests reject.
    this.onclose?.();
  }
}

const [url = "ws://127.0.0.1:8080", folder = "/tmp", ...command] = process.argv.slice(2);
const server =
  command.length > 0 ? command : ["npx", "-y", "@modelcontextprotocol/server-filesystem", folder];

await using exec = new LazyExecServerClient({ transport: webSocket(url) });
const remote = await exec.start(server, { stdin: "pipe" });
// Its log. Unread, it would be kept.
void remote.stderr.pipeTo(new WritableStream()).catch(() => {});

const client = new Client({ name: "exec-server-sdk-example", version: "1.0.0" });
await client.connect(new ProcessTransport(remote));
console.log("server:", client.getServerVersion()?.name);

const { tools } = await client.listTools();
console.log("tools:", tools.map(({ name }) => name).join(" "));

const path = `${folder}/hello.txt`;
await client.callTool({ name: "write_file", arguments: { path, content: "hello from MCP\n" } });
const { content } = await client.callTool({ name: "read_text_file", arguments: { path } });
console.log("file:", (content as { text: string }[])[0]?.text.trim());

await client.close();
console.log("exit code:", (await remote.closed).exitCode);
