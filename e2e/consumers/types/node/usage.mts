import type { Server } from "node:http";
import {
  type ClientState,
  ConnectError,
  type ExecEnvironment,
  ExecProcess,
  type ExecServerClient,
  ExecServerError,
  LazyExecServerClient,
  type OutputChunk,
  ProcessExitError,
  type RemoteDirent,
  type RemoteResponse,
  type RemoteStats,
  type RunResult,
  remotePath,
  ServerError,
  TimeoutError,
  type Transport,
  webSocket,
} from "exec-server-sdk";
import { CLOSE_CODES, createGateway, type Gateway, type GatewayOptions } from "exec-server-sdk/gateway";
import { webSocket as nodeWebSocket, type StdioOptions, stdio } from "exec-server-sdk/node";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_T extends true>(): void => {};

export async function commands(environment: ExecEnvironment): Promise<void> {
  const text = await environment.run(["git", "status"], { cwd: "/src", timeoutMs: 1_000 });
  holds<Same<typeof text, RunResult<string>>>();
  const bytes = await environment.run(["cat"], { encoding: "bytes", reject: false });
  holds<Same<typeof bytes.stdout, Uint8Array<ArrayBuffer>>>();
  // @ts-expect-error: not an encoding
  await environment.run(["cat"], { encoding: "latin1" });
  // @ts-expect-error: a command is a list
  await environment.run("cat");

  await using child = await environment.start(["make"], { env: { CI: "1", HOME: undefined }, stdin: "pipe" });
  for await (const chunk of child) {
    holds<Same<typeof chunk, OutputChunk>>();
    process.stdout.write(chunk.chunk);
  }
  const { exitCode, sandboxDenied } = await child.closed;
  holds<Same<[typeof exitCode, typeof sandboxDenied], [number, boolean]>>();
  await child.write(new Uint8Array(1));
  await child.resize({ rows: 1, cols: 1 });
  const { running } = await child.terminate();
  holds<Same<typeof running, boolean>>();
}

export async function files({ fs }: ExecEnvironment): Promise<void> {
  const bytes = await fs.readFile("/a");
  holds<Same<typeof bytes, Uint8Array<ArrayBuffer>>>();
  const text = await fs.readFile(new URL("file:///a"), "utf8");
  holds<Same<typeof text, string>>();
  const stats = await fs.stat("/a");
  holds<Same<typeof stats, RemoteStats>>();
  const entries = await fs.readdir("/", { withFileTypes: true });
  holds<Same<(typeof entries)[number], RemoteDirent>>();
  await fs.rm(remotePath.join("/a", "b"), { recursive: true, force: true });
  await fs.createReadStream("/a", { start: 1, end: 2 }).pipeTo(fs.createWriteStream("/b"));
}

export async function requests(environment: ExecEnvironment): Promise<void> {
  const response = await environment.fetch("http://localhost/", { method: "POST", body: "x" });
  holds<Same<typeof response, RemoteResponse>>();
  const standard: Response = response;
  await standard.text();
  const { config } = await environment.call("environmentConfig/read", {
    cwd: "file:///src",
    configPaths: [["model"]],
    requirementsPaths: [],
  });
  holds<Same<typeof config, unknown>>();
  const other = await environment.call("something/new", {});
  holds<Same<typeof other, unknown>>();
}

export async function clients(transport: Transport): Promise<ClientState> {
  await using client = new LazyExecServerClient({ transport, connectTimeoutMs: 1_000 });
  const live: ExecServerClient = await client.get({ signal: AbortSignal.timeout(1_000) });
  await commands(live);
  await commands(client);
  const end = await live.disconnected;
  holds<Same<typeof end.code, "ERR_DISCONNECTED" | "ERR_CLOSED">>();
  return client.state;
}

export function outputOf(value: unknown): ReadableStream<Uint8Array> | undefined {
  return value instanceof ExecProcess ? value.stdout : undefined;
}

export function errors(error: unknown): string | number | undefined {
  if (error instanceof ProcessExitError) return error.exitCode;
  if (error instanceof ServerError) return error.kind;
  if (error instanceof ConnectError) return error.status;
  if (error instanceof TimeoutError) return error.code;
  if (error instanceof ExecServerError) return error.delivery;
  return undefined;
}

const options: StdioOptions = { command: "codex", args: ["exec-server", "--listen", "stdio"] };
export const transports: readonly Transport[] = [
  stdio(options),
  stdio({ ...options, stderr: (line) => void line.trim() }),
  webSocket("ws://127.0.0.1:1"),
  nodeWebSocket(async ({ signal }) => ({
    url: new URL("ws://127.0.0.1:1"),
    headers: { authorization: String(signal.aborted) },
  })),
];

export async function gateway(server: Server, upstream: Transport): Promise<Gateway> {
  const common: Pick<GatewayOptions, "allowedOrigins" | "allowedHosts"> = {
    allowedOrigins: ["https://ide.example"],
    allowedHosts: ["ide.example"],
  };
  const made = createGateway({
    ...common,
    upstream: ({ headers }) => (headers.cookie ? upstream : webSocket("ws://127.0.0.1:1")),
    authorize: async (request) => request.headers.cookie !== undefined,
    onEvent: ({ closeCode }) => void (closeCode === CLOSE_CODES.upstreamEnded.code),
  });
  // @ts-expect-error: authorize is required
  createGateway({ ...common, upstream });
  made.attach(server);
  return made;
}
