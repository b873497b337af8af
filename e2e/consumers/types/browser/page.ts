import {
  type ExecEnvironment,
  ExecServerError,
  LazyExecServerClient,
  type RunResult,
  remotePath,
  webSocket,
} from "exec-server-sdk";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_T extends true>(): void => {};

const client = new LazyExecServerClient({
  transport: webSocket(location.origin.replace("http", "ws"), {
    protocols: ["exec-server-gateway", "token"],
    WebSocket,
  }),
});
client.onStateChange(({ state, previous, error }) => {
  document.title = `${previous} → ${state} ${error?.code ?? ""}`;
});

export async function inPage(environment: ExecEnvironment = client): Promise<void> {
  const text = await environment.run(["uname"]);
  holds<Same<typeof text, RunResult>>();
  const { stdout } = await environment.run(["uname"], { encoding: "bytes" });
  holds<Same<typeof stdout, Uint8Array<ArrayBuffer>>>();
  const download = new Blob([stdout]);

  const shell = await environment.start(["sh"], { tty: { rows: 24, cols: 80 } });
  for await (const { stream, chunk } of shell) {
    holds<Same<typeof stream, "stdout" | "stderr" | "pty">>();
    document.body.append(new TextDecoder().decode(chunk));
  }
  await shell.closed;

  const path = remotePath.join("/src", "a.txt");
  await environment.fs.writeFile(path, await download.text());
  const names = await environment.fs.readdir("/src");
  holds<Same<(typeof names)[number], string>>();
  await environment.fs.createReadStream(path).pipeTo(environment.fs.createWriteStream("/src/b.txt"));

  const response: Response = await environment.fetch("http://localhost:3000/", { timeoutMs: 1_000 });
  await response.json();
  const standard: typeof fetch = environment.fetch as typeof fetch;
  await standard("http://localhost:3000/");
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof ExecServerError ? error.code : undefined;
}
