import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createGateway } from "../src/gateway.ts";
import {
  ExecServerClient,
  type ExecServerError,
  LazyExecServerClient,
  messagePort,
  webSocket,
} from "../src/index.ts";
import { webSocket as nodeWebSocket, stdio } from "../src/node.ts";
import { ExecServer } from "./support/exec-server.ts";
import { failureOf } from "./support/failure.ts";
import { ORIGIN, TOKEN } from "./support/gateway.ts";
import { runProgram } from "./support/program.ts";

/**
 * What newcomers write, with the error that leads them on: its code, and the words of its message that name what to do.
 * Most mistakes do not compile, so they are written as from plain JavaScript, with `as never`.
 */

interface Mistake {
  readonly does: (setup: Setup) => unknown;
  readonly code: string;
  readonly kind?: string;
  /** The message contains all of them. */
  readonly says: readonly (string | RegExp)[];
}

interface Setup {
  readonly server: ExecServer;
  readonly client: ExecServerClient;
  /** A directory on the machine of the server, with the file `a.txt` and the directory `full`, which is not empty. */
  readonly directory: string;
}

type Mistakes = Readonly<Record<string, Mistake>>;

const INVALID = "ERR_INVALID_ARGUMENT";
const UNSUPPORTED = "ERR_UNSUPPORTED";

const connect = async (transport: Parameters<typeof ExecServerClient.connect>[0]["transport"]) => {
  const client = await ExecServerClient.connect({ transport });
  await client.close();
};

const CONNECTING: Mistakes = {
  "no options at all": {
    does: () => new LazyExecServerClient(undefined as never),
    code: INVALID,
    says: ["LazyExecServerClient()", "transport", "webSocket(url)", "got undefined"],
  },
  "no transport": {
    does: () => ExecServerClient.connect({} as never),
    code: INVALID,
    says: ["ExecServerClient.connect()", "transport", "webSocket(url)"],
  },
  "a URL as the only argument": {
    does: ({ server }) => new LazyExecServerClient(server.url as never),
    code: INVALID,
    says: ["transport", "webSocket(url)"],
  },
  "a URL instead of a transport": {
    does: ({ server }) => ExecServerClient.connect({ transport: server.url as never }),
    code: INVALID,
    says: ["transport", "webSocket(url)", "got a string"],
  },
  "the function webSocket instead of its call": {
    does: () => new LazyExecServerClient({ transport: webSocket as never }),
    code: INVALID,
    says: ["transport", "webSocket(url)", "got a function"],
  },
  "a WebSocket instead of a transport": {
    does: () => new LazyExecServerClient({ transport: { send() {}, close() {} } as never }),
    code: INVALID,
    says: ["transport", "webSocket(url)", "got an object"],
  },
  "an http: URL": {
    does: ({ server }) => webSocket(server.url.replace("ws:", "http:")),
    code: INVALID,
    says: ["ws:", "wss:"],
  },
  "an address without a scheme": {
    does: ({ server }) => webSocket(server.url.replace("ws://", "")),
    code: INVALID,
    says: ["ws:", "wss:"],
  },
  "an environment variable that is not set": {
    does: () => webSocket(undefined as never),
    code: INVALID,
    says: ["ws:", "wss:", "got undefined"],
  },
  "a port where nothing listens": {
    does: async () => await connect(nodeWebSocket(`ws://127.0.0.1:${await closedPort()}/`)),
    code: "ERR_CONNECT",
    says: ["ws://127.0.0.1:", "ECONNREFUSED"],
  },
  "a host that does not exist": {
    does: () => connect(nodeWebSocket("ws://no-such-host.invalid/")),
    code: "ERR_CONNECT",
    says: ["no-such-host.invalid", /ENOTFOUND|EAI_AGAIN/],
  },
  "a web server instead of an exec-server": {
    does: () =>
      listening(
        createServer((_, response) => response.end()),
        (port) => connect(nodeWebSocket(`ws://127.0.0.1:${port}/`)),
      ),
    code: "ERR_CONNECT",
    says: ["ws://127.0.0.1:", "200"],
  },
  "wss: to a server without TLS": {
    does: ({ server }) => connect(nodeWebSocket(server.url.replace("ws:", "wss:"))),
    code: "ERR_CONNECT",
    says: ["wss://", /TLS/i, "ws:"],
  },
  "ws: to a server with TLS": {
    does: () => listening(createTlsServer(), (port) => connect(nodeWebSocket(`ws://127.0.0.1:${port}/`))),
    code: "ERR_CONNECT",
    says: ["ws://", "wss:"],
  },
  "a browser's origin sent to the exec-server": {
    does: ({ server }) => connect(nodeWebSocket(server.url, { headers: { origin: ORIGIN } })),
    code: "ERR_CONNECT",
    says: ["403", /origin/i, /gateway/i],
  },
  "headers as a misspelt option": {
    does: ({ server }) => nodeWebSocket(server.url, { header: {} } as never),
    code: INVALID,
    says: ["webSocket()", "header", "headers"],
  },
  "null as the options of webSocket": {
    does: ({ server }) => webSocket(server.url, null as never),
    code: INVALID,
    says: ["webSocket()", "options", "got null"],
  },
  "no command for stdio": {
    does: () => stdio({} as never),
    code: INVALID,
    says: ["stdio()", "command", "got undefined"],
  },
  "the command of stdio as the only argument": {
    does: () => stdio("codex" as never),
    code: INVALID,
    says: ["stdio()", /options|command/],
  },
  "the arguments of stdio as a string": {
    does: () => stdio({ command: "codex", args: "exec-server --listen stdio" as never }),
    code: INVALID,
    says: ["stdio()", "args", "an array of strings", "got a string"],
  },
  "a command line as the command of stdio": {
    does: () => connect(stdio({ command: "codex exec-server" })),
    code: "ERR_CONNECT",
    says: ["codex", "args"],
  },
  "a command of stdio that is not installed": {
    does: () => connect(stdio({ command: "no-such-codex" })),
    code: "ERR_CONNECT",
    says: ["no-such-codex", "no such command"],
  },
  "a misspelt option of stdio": {
    does: () => stdio({ command: "codex", arguments: [] } as never),
    code: INVALID,
    says: ["stdio()", "arguments", "args"],
  },
  "something else instead of a message port": {
    does: () => new LazyExecServerClient({ transport: messagePort({} as never) }).get(),
    code: INVALID,
    says: [/messagePort\(\)|port/, /postMessage|MessagePort/],
  },
  "a timeout in words": {
    does: ({ server }) =>
      ExecServerClient.connect({ transport: webSocket(server.url), connectTimeoutMs: "10s" as never }),
    code: INVALID,
    says: ["connectTimeoutMs", "milliseconds", "got a string"],
  },
  "an option of another library": {
    does: ({ server }) => new LazyExecServerClient({ transport: webSocket(server.url), retries: 3 } as never),
    code: INVALID,
    says: ['"retries"', "connectTimeoutMs"],
  },
  "keepAlive as text": {
    does: ({ server }) =>
      new LazyExecServerClient({ transport: webSocket(server.url), keepAlive: "yes" as never }),
    code: INVALID,
    says: ["keepAlive", "a boolean", "got a string"],
  },
};

const GATEWAY: Mistakes = {
  "every origin": {
    does: () => gateway({ allowedOrigins: ["*"] }),
    code: INVALID,
    says: ["allowedOrigins", /exact origin/],
  },
  "no origin": {
    does: () => gateway({ allowedOrigins: undefined }),
    code: INVALID,
    says: ["allowedOrigins", /exact origin/],
  },
  "an origin with a path": {
    does: () => gateway({ allowedOrigins: [`${ORIGIN}/`] }),
    code: INVALID,
    says: [/allowedOrigins|origin/i, /scheme|exact|path/i],
  },
  "no authorization": {
    does: () => gateway({ authorize: undefined }),
    code: INVALID,
    says: ["authorize", "token"],
  },
  "a token without the object around it": {
    does: () => gateway({ authorize: TOKEN }),
    code: INVALID,
    says: ["authorize", "token"],
  },
  "an empty token": {
    does: () => gateway({ authorize: { token: "" } }),
    code: INVALID,
    says: ["token"],
  },
  "a token that no browser can send": {
    does: () => gateway({ authorize: { token: "pass word, 16 characters" } }),
    code: INVALID,
    says: ["token", /letters/i],
  },
  "a URL as the upstream": {
    does: () => gateway({ upstream: "ws://127.0.0.1:1" }),
    code: INVALID,
    says: ["upstream", "transport", "got a string"],
  },
  "a misspelt option of the gateway": {
    does: () => gateway({ allowedOrigin: ORIGIN }),
    code: INVALID,
    says: ["allowedOrigin", "allowedOrigins"],
  },
};

const CLIENT: Mistakes = {
  "a call on a closed client": {
    does: async ({ server }) => {
      const client = new LazyExecServerClient({ transport: webSocket(server.url) });
      await client.close();
      await client.run(["true"]);
    },
    code: "ERR_CLOSED",
    says: ["closed"],
  },
  "a concrete client used after its server died": {
    does: async () => {
      const server = await ExecServer.start();
      const client = await ExecServerClient.connect({ transport: nodeWebSocket(server.url) });
      await server[Symbol.asyncDispose]();
      await client.run(["true"]);
    },
    code: "ERR_DISCONNECTED",
    says: ["run 'true'", "connection ended"],
  },
  "initialize by hand": {
    does: ({ client }) => client.call("initialize", { clientName: "me" } as never),
    code: INVALID,
    says: ["initialize", "when it connects"],
  },
  "an unknown method": {
    does: ({ client }) => client.call("process/list"),
    code: "ERR_SERVER",
    kind: "unsupported",
    says: ["process/list"],
  },
  "the params of a call as text": {
    does: ({ client }) => client.call("fs/readFile", "/etc/hostname" as never),
    code: "ERR_SERVER",
    kind: "invalid",
    says: ["fs/readFile"],
  },
  "params that are no JSON": {
    does: ({ client }) => client.call("fs/readFile", { path: 1n } as never),
    code: INVALID,
    says: ["fs/readFile", "JSON"],
  },
  "the name of an event as a listener": {
    does: ({ server }) =>
      new LazyExecServerClient({ transport: webSocket(server.url) }).onStateChange("disconnected" as never),
    code: INVALID,
    says: ["listener", "function", "got a string"],
  },
  "a controller instead of its signal": {
    does: ({ client }) => client.info({ signal: new AbortController() as never }),
    code: INVALID,
    says: ["signal", "AbortSignal"],
  },
  "null as the options of a call": {
    does: ({ client }) => client.status(null as never),
    code: INVALID,
    says: ["status()", "options", "got null"],
  },
  "a signal as the options of get": {
    does: ({ server }) =>
      new LazyExecServerClient({ transport: webSocket(server.url) }).get({
        signal: new AbortController() as never,
      }),
    code: INVALID,
    says: ["signal", "AbortSignal"],
  },
  "a process of another client": {
    does: async ({ server, client }) => {
      await using other = await ExecServerClient.connect({ transport: webSocket(server.url) });
      await using sleeping = await client.start(["sleep", "60"]);
      await other.call("process/read", { processId: sleeping.processId });
    },
    code: "ERR_SERVER",
    kind: "invalid",
    says: [/unknown process/i],
  },
};

const PROCESSES: Mistakes = {
  "a string instead of argv": {
    does: ({ client }) => client.run("ls -la" as never),
    code: INVALID,
    says: ["argv", "array", "got a string"],
  },
  "program and arguments as two parameters": {
    does: ({ client }) => client.run("ls" as never, ["-la"] as never),
    code: INVALID,
    says: [/argv|options/, /array/],
  },
  "an empty argv": {
    does: ({ client }) => client.run([]),
    code: INVALID,
    says: ["argv", "non-empty", "got an empty array"],
  },
  "a number in argv": {
    does: ({ client }) => client.run(["sleep", 1] as never),
    code: INVALID,
    says: ["argv[1]", "a string", "got 1"],
  },
  "a command line as argv[0]": {
    does: ({ client }) => client.run(["ls -la"]),
    code: "ERR_SERVER",
    kind: "not-found",
    says: ["run 'ls'", "program not found", /space|argument/],
  },
  "a pipe in argv[0]": {
    does: ({ client }) => client.run(["cat a.txt | wc -l"]),
    code: "ERR_SERVER",
    kind: "not-found",
    says: ["run 'cat'", "program not found", /space|argument/],
  },
  "a pipe in argv": {
    does: ({ client, directory }) => client.run(["ls", "|", "wc"], { cwd: directory }),
    code: "ERR_PROCESS_EXIT",
    says: ["run 'ls'", /code [12]\b/, /'?wc'?|'\|'/],
  },
  "a glob in argv": {
    does: ({ client, directory }) => client.run(["ls", "*.txt"], { cwd: directory }),
    code: "ERR_PROCESS_EXIT",
    says: ["run 'ls'", "*.txt"],
  },
  "a variable in argv": {
    does: ({ client }) => client.run(["cat", "$HOME/.profile"]),
    code: "ERR_PROCESS_EXIT",
    says: ["run 'cat'", "$HOME/.profile"],
  },
  "a redirection in argv": {
    does: ({ client, directory }) => client.run(["cat", "<", "a.txt"], { cwd: directory }),
    code: "ERR_PROCESS_EXIT",
    says: ["run 'cat'", "code 1", "<"],
  },
  "a home directory in argv": {
    does: ({ client }) => client.run(["ls", "~"]),
    code: "ERR_PROCESS_EXIT",
    says: ["run 'ls'", "~"],
  },
  "cd and a second command": {
    does: ({ client }) => client.run(["cd", "/tmp", "&&", "ls"]),
    code: "ERR_SERVER",
    kind: "not-found",
    says: ["run 'cd'", "program not found"],
  },
  "a variable assignment before the program": {
    does: ({ client }) => client.run(["NODE_ENV=test", "node"]),
    code: "ERR_SERVER",
    kind: "not-found",
    says: ["run 'NODE_ENV=…'", "program not found", "env"],
  },
  "a program that is not installed": {
    does: ({ client }) => client.run(["no-such-program"]),
    code: "ERR_SERVER",
    kind: "not-found",
    says: ["run 'no-such-program'", "program not found"],
  },
  "a program that is not executable": {
    does: ({ client, directory }) => client.run([join(directory, "a.txt")]),
    code: "ERR_SERVER",
    kind: "permission-denied",
    says: ["a.txt", "permission denied"],
  },
  "a directory as the program": {
    does: ({ client, directory }) => client.run([directory]),
    code: "ERR_SERVER",
    kind: "permission-denied",
    says: ["permission denied"],
  },
  "a non-zero exit code": {
    does: ({ client }) => client.run(["sh", "-c", "echo first >&2; echo the disk is full >&2; exit 3"]),
    code: "ERR_PROCESS_EXIT",
    says: ["run 'sh'", "code 3", "the disk is full"],
  },
  "a relative cwd": {
    does: ({ client }) => client.run(["ls"], { cwd: "src" }),
    code: INVALID,
    says: ["cwd", "absolute", "relative"],
  },
  "a home directory as cwd": {
    does: ({ client }) => client.run(["ls"], { cwd: "~/src" }),
    code: INVALID,
    says: ["cwd", "absolute", "relative"],
  },
  "a cwd that does not exist": {
    does: ({ client }) => client.run(["true"], { cwd: "/no/such/directory" }),
    code: "ERR_SERVER",
    kind: "not-found",
    says: ["run 'true'", "working directory", "/no/such/directory"],
  },
  "a file as cwd": {
    does: ({ client, directory }) => client.run(["true"], { cwd: join(directory, "a.txt") }),
    code: "ERR_SERVER",
    kind: "not-a-directory",
    says: ["run 'true'", /not a directory/i],
  },
  "a cwd that does not exist, for a terminal": {
    does: ({ client }) => client.start(["true"], { cwd: "/no/such/directory", tty: true }),
    code: "ERR_SERVER",
    kind: "not-found",
    says: ["start 'true'", "working directory", "/no/such/directory"],
  },
  "timeout instead of timeoutMs": {
    does: ({ client }) => client.run(["true"], { timeout: 1_000 } as never),
    code: UNSUPPORTED,
    says: ["timeout", "timeoutMs"],
  },
  "shell: true": {
    does: ({ client }) => client.run(["echo $HOME"], { shell: true } as never),
    code: UNSUPPORTED,
    says: ["shell", /\bsh\b/],
  },
  "stdio: inherit": {
    does: ({ client }) => client.start(["true"], { stdio: "inherit" } as never),
    code: UNSUPPORTED,
    says: ["stdio", "stdin"],
  },
  "stdin: inherit": {
    does: ({ client }) => client.start(["true"], { stdin: "inherit" as never }),
    code: INVALID,
    says: ["stdin", '"ignore"', '"pipe"'],
  },
  "maxBuffer instead of maxBufferedBytes": {
    does: ({ client }) => client.run(["true"], { maxBuffer: 1_024 } as never),
    code: UNSUPPORTED,
    says: ["maxBuffer", "maxBufferedBytes"],
  },
  "maxBufferedBytes as text": {
    does: ({ client }) => client.run(["true"], { maxBufferedBytes: "1MB" as never }),
    code: INVALID,
    says: ["maxBufferedBytes", "number", "got a string"],
  },
  "a number in env": {
    does: ({ client }) => client.run(["true"], { env: { PORT: 3000 } as never }),
    code: INVALID,
    says: ["env.PORT", "a string", "number"],
  },
  "env as a Map": {
    does: ({ client }) => client.run(["true"], { env: new Map([["PORT", "3000"]]) as never }),
    code: INVALID,
    says: ["env", "a plain object"],
  },
  "an assignment as a name in env": {
    does: ({ client }) => client.run(["true"], { env: { "PORT=3000": "" } }),
    code: INVALID,
    says: ["env", 'without "="', "PORT=…"],
  },
  "env as a list": {
    does: ({ client }) => client.run(["true"], { env: ["PORT=3000"] as never }),
    code: INVALID,
    says: ["env", "an object", "got an array"],
  },
  "the encoding base64 of a run": {
    does: ({ client }) => client.run(["true"], { encoding: "base64" as never }),
    code: INVALID,
    says: ["encoding", '"utf8"', '"bytes"'],
  },
  "null as the options of a run": {
    does: ({ client }) => client.run(["true"], null as never),
    code: INVALID,
    says: ["run()", "options", "got null"],
  },
  "a misspelt option of a run": {
    does: ({ client }) => client.run(["true"], { timeoutms: 5 } as never),
    code: INVALID,
    says: ["run()", '"timeoutms"', "timeoutMs"],
  },
  "a callback instead of options": {
    does: ({ client }) => client.run(["true"], (() => {}) as never),
    code: INVALID,
    says: ["run()", "options", "got a function"],
  },
  "a negative timeout": {
    does: ({ client }) => client.run(["true"], { timeoutMs: -1 }),
    code: INVALID,
    says: ["timeoutMs", "positive", "got -1"],
  },
  "a timeout that is NaN": {
    does: ({ client }) => client.run(["true"], { timeoutMs: Number("soon") }),
    code: INVALID,
    says: ["timeoutMs", "positive", "got NaN"],
  },
  "a controller as the signal of a run": {
    does: ({ client }) => client.run(["true"], { signal: new AbortController() as never }),
    code: INVALID,
    says: ["signal", "AbortSignal"],
  },
  "an unknown overflow": {
    does: ({ client }) => client.start(["true"], { overflow: "drop" as never }),
    code: INVALID,
    says: ["overflow", '"fail"', '"drop-oldest"'],
  },
  "a terminal without rows": {
    does: ({ client }) => client.start(["true"], { tty: { rows: 0, cols: 80 } }),
    code: INVALID,
    says: ["rows", "from 1 to 65535", "got 0"],
  },
  "the size of a terminal as text": {
    does: ({ client }) => client.start(["true"], { tty: "80x24" as never }),
    code: INVALID,
    says: ["tty", "got a string"],
  },
  "a processId that is in use": {
    does: async ({ client }) => {
      await using first = await client.start(["sleep", "60"], { processId: "build" });
      await client.start(["true"], { processId: first.processId });
    },
    code: INVALID,
    says: ["processId", "unique"],
  },
  "input for a process without a pipe": {
    does: async ({ client }) => await (await client.start(["cat"])).write("hello"),
    code: "ERR_STDIN_CLOSED",
    says: ['stdin: "pipe"'],
  },
  "input for a process that has ended": {
    does: async ({ client }) => {
      const process = await client.start(["true"], { stdin: "pipe" });
      await process.closed;
      await process.write("hello");
    },
    code: "ERR_STDIN_CLOSED",
    says: ["has exited"],
  },
  "a number as input": {
    does: async ({ client }) => {
      await using process = await client.start(["cat"], { stdin: "pipe" });
      await process.write(42 as never);
    },
    code: INVALID,
    says: ["data", "a string", "got 42"],
  },
  "the output as a sequence after stdout was read": {
    does: async ({ client }) => {
      const process = await client.start(["echo", "hello"]);
      for await (const _ of process.stdout);
      for await (const _ of process);
    },
    code: "ERR_OUTPUT_CLAIMED",
    says: ["already being read", "stdout and stderr"],
  },
  "stdout after the output was read as a sequence": {
    does: async ({ client }) => {
      const process = await client.start(["echo", "hello"]);
      for await (const _ of process);
      for await (const _ of process.stdout);
    },
    code: "ERR_OUTPUT_CLAIMED",
    says: ["already being read", "one sequence"],
  },
  "the output as a sequence for a second time": {
    does: async ({ client }) => {
      const process = await client.start(["echo", "hello"]);
      for await (const _ of process);
      for await (const _ of process);
    },
    code: "ERR_OUTPUT_CLAIMED",
    says: ["already being read", "one sequence"],
  },
  "resize without a terminal": {
    does: async ({ client }) => {
      await using process = await client.start(["sleep", "60"]);
      await process.resize({ rows: 24, cols: 80 });
    },
    code: UNSUPPORTED,
    says: [/terminal/, "tty"],
  },
};

const FILES: Mistakes = {
  "a relative path": {
    does: ({ client }) => client.fs.readFile("package.json"),
    code: INVALID,
    says: ["path", "absolute", "relative"],
  },
  "a path in the home directory": {
    does: ({ client }) => client.fs.readdir("~"),
    code: INVALID,
    says: ["path", "absolute", "relative"],
  },
  "no path": {
    does: ({ client }) => client.fs.readFile(undefined as never),
    code: INVALID,
    says: ["path", "a string or a URL", "got undefined"],
  },
  "a path that does not exist": {
    does: ({ client }) => client.fs.readFile("/no/such/file.txt"),
    code: "ERR_SERVER",
    kind: "not-found",
    says: ["readFile '/no/such/file.txt'", "not found"],
  },
  "a Windows path on a POSIX server": {
    does: ({ client }) => client.fs.readFile("C:\\Users\\me\\a.txt"),
    code: "ERR_SERVER",
    kind: "invalid",
    says: ["readFile 'C:\\Users\\me\\a.txt'", "linux"],
  },
  "an https: URL as a path": {
    does: ({ client }) => client.fs.readFile(new URL("https://example.test/a.txt")),
    code: INVALID,
    says: ["path", "file: URL"],
  },
  "readFile of a directory": {
    does: ({ client, directory }) => client.fs.readFile(directory),
    code: "ERR_SERVER",
    kind: "not-a-file",
    says: ["readFile", "not a file"],
  },
  "the encoding base64 of a file": {
    does: ({ client, directory }) => client.fs.readFile(join(directory, "a.txt"), "base64" as never),
    code: INVALID,
    says: ["encoding", '"utf8"'],
  },
  "a callback for readFile": {
    does: ({ client, directory }) => client.fs.readFile(join(directory, "a.txt"), (() => {}) as never),
    code: INVALID,
    says: ["readFile()", "options", "got a function"],
  },
  "flag: r+ for writeFile": {
    does: ({ client, directory }) =>
      client.fs.writeFile(join(directory, "a.txt"), "more", { flag: "r+" } as never),
    code: UNSUPPORTED,
    says: ["writeFile", "flag"],
  },
  "an object for writeFile": {
    does: ({ client, directory }) => client.fs.writeFile(join(directory, "b.json"), { a: 1 } as never),
    code: INVALID,
    says: ["data", "a string", "got an object"],
  },
  "writeFile without data": {
    does: ({ client, directory }) => client.fs.writeFile(join(directory, "b.txt"), undefined as never),
    code: INVALID,
    says: ["data", "a string", "got undefined"],
  },
  "writeFile to a missing directory": {
    does: ({ client, directory }) => client.fs.writeFile(join(directory, "missing/b.txt"), "text"),
    code: "ERR_SERVER",
    kind: "not-found",
    says: ["writeFile", "missing/b.txt", "not found"],
  },
  "mkdir of a directory that exists": {
    does: ({ client, directory }) => client.fs.mkdir(directory),
    code: "ERR_SERVER",
    kind: "already-exists",
    says: ["mkdir", "already exists"],
  },
  "mkdir in a missing directory": {
    does: ({ client, directory }) => client.fs.mkdir(join(directory, "missing/b")),
    code: "ERR_SERVER",
    kind: "not-found",
    says: ["mkdir", "missing/b", "not found"],
  },
  "rm of a directory": {
    does: ({ client, directory }) => client.fs.rm(join(directory, "full")),
    code: "ERR_SERVER",
    kind: "not-empty",
    says: ["rm", "full", "recursive"],
  },
  "rm of a missing file": {
    does: ({ client, directory }) => client.fs.rm(join(directory, "missing.txt")),
    code: "ERR_SERVER",
    kind: "not-found",
    says: ["rm", "missing.txt", "not found"],
  },
  "readdir of a file": {
    does: ({ client, directory }) => client.fs.readdir(join(directory, "a.txt")),
    code: "ERR_SERVER",
    kind: "not-a-directory",
    says: ["readdir", "a.txt", "not a directory"],
  },
  "cp of a directory": {
    does: ({ client, directory }) => client.fs.cp(join(directory, "full"), join(directory, "copy")),
    code: "ERR_SERVER",
    kind: "not-a-file",
    says: ["cp", "full", "recursive: true"],
  },
  "cp onto itself": {
    does: ({ client, directory }) => client.fs.cp(join(directory, "a.txt"), join(directory, "a.txt")),
    code: INVALID,
    says: ["cp", /same/],
  },
  "a path instead of a list of paths": {
    does: ({ client }) => client.fs.whenAppears("/tmp/a.txt" as never),
    code: INVALID,
    says: ["paths", "array", "got a string"],
  },
  "a misspelt option of mkdir": {
    does: ({ client, directory }) => client.fs.mkdir(join(directory, "b"), { recursiv: true } as never),
    code: INVALID,
    says: ["mkdir", '"recursiv"', "recursive"],
  },
  "mkdir with recursive as text": {
    does: ({ client, directory }) => client.fs.mkdir(join(directory, "b"), { recursive: "yes" as never }),
    code: INVALID,
    says: ["mkdir", "recursive", "a boolean", "got a string"],
  },
  "a fraction as maxDepth": {
    does: ({ client, directory }) => client.fs.walk(directory, { maxDepth: 3.5 }),
    code: INVALID,
    says: ["maxDepth", "an integer", "got 3.5"],
  },
  "a range that ends before its start": {
    does: ({ client, directory }) =>
      client.fs.createReadStream(join(directory, "a.txt"), { start: 9, end: 1 }),
    code: INVALID,
    says: ["end", "start", "got 1"],
  },
};

const FETCH: Mistakes = {
  "a relative URL": {
    does: ({ client }) => client.fetch("/api/users"),
    code: INVALID,
    says: ["fetch", "absolute URL", "relative"],
  },
  "a URL with credentials": {
    does: ({ client }) => client.fetch("http://me:secret@origin.test/"),
    code: INVALID,
    says: ["fetch", "without credentials"],
  },
  "a file: URL for fetch": {
    does: ({ client }) => client.fetch("file:///etc/hostname"),
    code: INVALID,
    says: ["fetch", "http:", "https:"],
  },
  "a body in a GET request": {
    does: ({ client }) => client.fetch("http://origin.test/", { body: "text" }),
    code: INVALID,
    says: ["body", "GET"],
  },
  "a fetch from a port where nothing listens": {
    does: async ({ client }) => await client.fetch(`http://127.0.0.1:${await closedPort()}/`),
    code: "ERR_SERVER",
    says: ["fetch", "http://127.0.0.1:"],
  },
  "a line end in a header": {
    does: ({ client }) => client.fetch("http://origin.test/", { headers: { "x-name": "a\nb" } }),
    code: INVALID,
    says: ["headers", "x-name"],
  },
  "a negative timeout of a fetch": {
    does: ({ client }) => client.fetch("http://origin.test/", { timeoutMs: -1 }),
    code: INVALID,
    says: ["timeoutMs", "positive", "got -1"],
  },
  "a controller as the signal of a fetch": {
    does: ({ client }) => client.fetch("http://origin.test/", { signal: new AbortController() as never }),
    code: INVALID,
    says: ["signal", "AbortSignal"],
  },
};

function gateway(options: object): unknown {
  const complete = {
    upstream: webSocket("ws://127.0.0.1:1"),
    allowedOrigins: [ORIGIN],
    authorize: { token: TOKEN },
  };
  return createGateway({ ...complete, ...options } as never);
}

/** A port that was free a moment ago. */
function closedPort(): Promise<number> {
  return listening(createServer(), async (port) => port);
}

/** Closes the server after `work`. */
async function listening<T>(server: Server, work: (port: number) => Promise<T>): Promise<T> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await work((server.address() as AddressInfo).port);
  } finally {
    server.close();
  }
}

let setup: Setup;

beforeAll(async () => {
  const server = await ExecServer.start();
  const client = await ExecServerClient.connect({ transport: webSocket(server.url) });
  const directory = await mkdtemp(join(tmpdir(), "newcomer-"));
  await writeFile(join(directory, "a.txt"), "text");
  await mkdir(join(directory, "full"));
  await writeFile(join(directory, "full/b.txt"), "text");
  setup = { server, client, directory };
});

afterAll(async () => {
  await setup.client.close();
  await setup.server[Symbol.asyncDispose]();
  await rm(setup.directory, { recursive: true });
});

const GROUPS: Readonly<Record<string, Mistakes>> = {
  connecting: CONNECTING,
  "the gateway": GATEWAY,
  "the client": CLIENT,
  processes: PROCESSES,
  files: FILES,
  fetch: FETCH,
};

describe.each(Object.entries(GROUPS))("%s: the error says what to do about", (_, mistakes) => {
  test.each(Object.entries(mistakes))("%s", async (_name, { does, code, kind, says }) => {
    const error = (await failureOf((async () => await does(setup))())) as ExecServerError;
    const { code: actual, message } = error;
    expect({ code: actual, kind: (error as { kind?: string }).kind }, message).toEqual({ code, kind });
    for (const words of says) expect(message).toMatch(words);
  });
});

describe("what is no mistake", () => {
  test("closing twice, by hand and by the end of a block", async () => {
    await using client = await ExecServerClient.connect({ transport: webSocket(setup.server.url) });
    await client.close();
    await client.close();
  });

  test("terminating a process that has ended", async () => {
    await using process = await setup.client.start(["true"]);
    await process.closed;
    expect(await process.terminate()).toEqual({ running: false });
  });

  test("reading output after the process has ended, and after its end", async () => {
    const process = await setup.client.start(["echo", "hello"]);
    await process.closed;
    const output = process[Symbol.asyncIterator]();
    const { value } = await output.next();
    expect(Buffer.from(value?.chunk ?? []).toString()).toBe("hello\n");
    expect([await output.next(), await output.next()]).toEqual([
      { done: true, value: undefined },
      { done: true, value: undefined },
    ]);
  });

  test("a signal that has aborted already: the call rejects with its reason", async () => {
    const reason = new Error("enough");
    const signal = AbortSignal.abort(reason);
    const { client, directory } = setup;
    expect(await failureOf(client.run(["true"], { signal }))).toBe(reason);
    expect(await failureOf(client.fs.stat(directory, { signal }))).toBe(reason);
    expect(await failureOf(client.fetch("http://origin.test/", { signal }))).toBe(reason);
  });

  test("a URL with a fragment", async () => {
    await using client = await ExecServerClient.connect({ transport: webSocket(`${setup.server.url}#main`) });
    expect((await client.status()).status).toBe("ready");
  });
});

describe("a program of a newcomer", () => {
  test("that forgets close() ends when its work is done", async () => {
    const { code, text } = await runProgram("test/fixtures/without-close.ts", [setup.server.url], {
      maxSilenceMs: 10_000,
    });
    expect({ code, text }).toEqual({ code: 0, text: "hello\n" });
  });

  test("that forgets await ends with an error that names the program", async () => {
    const { code, text } = await runProgram("test/fixtures/without-await.ts", [setup.server.url]);
    expect(code).toBe(1);
    expect(text).toContain("ERR_SERVER");
    expect(text).toMatch(/run 'no-such-program': .*program not found/);
  });
});
