/** What a page may do with the root entry, as far as types go. */
import {
  type ExecEnvironment,
  ExecServerError,
  LazyExecServerClient,
  type RunResult,
  webSocket,
} from "exec-server-sdk";

export async function useEverything(): Promise<unknown> {
  await using client = new LazyExecServerClient({ transport: webSocket("wss://exec.example/") });
  const environment: ExecEnvironment = client;
  const result: RunResult = await environment.run(["uname"]);
  const bytes: Uint8Array<ArrayBuffer> = (await client.run(["uname"], { encoding: "bytes" })).stdout;
  await using process = await (await client.get()).start(["make"], { tty: { rows: 24, cols: 80 } });
  for await (const { chunk, stream } of process) if (stream === "pty") new Blob([chunk]);
  await client.fs.createReadStream("/a").pipeTo(client.fs.createWriteStream("/b"));
  const { skills } = await client.call("capabilities/discoverV2", { cwd: "file:///" });
  const response: Response = await client.fetch(new Request("http://localhost/"), { timeoutMs: 1 });
  const { platformOs } = await client.info();
  try {
    await client.close();
  } catch (error) {
    if (error instanceof ExecServerError && error.code === "ERR_CLOSED") return error.sessionId;
  }
  return { result, bytes, skills, response, platformOs: platformOs?.toUpperCase() };
}
