/**
 * A Node program that uses an exec-server: a command, the streamed output of a process, a file, and the state changes of
 * the connection.
 *
 *   npm run server
 *   npm start
 */
import { tmpdir } from "node:os";
import { ExecServerError, LazyExecServerClient, remotePath } from "exec-server-sdk";
import { webSocket } from "exec-server-sdk/node";

const [url = "ws://127.0.0.1:8080"] = process.argv.slice(2);

// The client connects on the first call, not here.
await using client = new LazyExecServerClient({ transport: webSocket(url) });
client.onStateChange(({ state, error }) => console.log(`[${state}]`, error?.message ?? ""));

try {
  const { stdout } = await client.run(["uname", "-sm"]);
  console.log("machine:", stdout.trim());

  const counting = await client.start(["sh", "-c", "for i in 1 2 3; do echo tick $i; sleep 0.1; done"]);
  const decoder = new TextDecoder();
  for await (const { stream, chunk } of counting) {
    console.log(`${stream}:`, decoder.decode(chunk, { stream: true }).trimEnd());
  }
  console.log("exit code:", (await counting.closed).exitCode);

  const file = remotePath.join(tmpdir(), `exec-server-sdk-${process.pid}.txt`);
  await client.fs.writeFile(file, "hello from here\n");
  console.log("file:", (await client.fs.readFile(file, "utf8")).trim());
  await client.fs.rm(file);
} catch (error) {
  if (!(error instanceof ExecServerError)) throw error;
  // `code` identifies the failure, `delivery` whether the request may have been executed.
  console.error(`${error.code} (${error.delivery ?? "no request"}): ${error.message}`);
  process.exitCode = 1;
}
