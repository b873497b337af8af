/**
 * A command in the shape of `ssh`, for programs that run a command on another machine through one: `git`, `rsync`, `tar`.
 * The command runs on the exec-server instead; the name of the host is ignored.
 *
 *   npm run server
 *   export EXEC_SERVER_URL=ws://127.0.0.1:8080
 *   GIT_SSH_COMMAND="npx tsx $PWD/remote-shell.ts" git clone there:/src/project
 *   rsync --archive --rsh "npx tsx $PWD/remote-shell.ts" there:/src/project/ project
 *   tar --create project | npx tsx remote-shell.ts there tar --extract --directory /src
 */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream as NodeReadableStream, WritableStream } from "node:stream/web";
import { type ExecProcess, ExecServerError, LazyExecServerClient } from "exec-server-sdk";
import { webSocket } from "exec-server-sdk/node";

/** What ssh exits with if it fails itself. */
const OWN_FAILURE = 255;
/** The options of ssh that such programs pass, and that have a value. None of them matters here. */
const OPTIONS_WITH_VALUE = ["-l", "-o", "-p"];
const FORWARDED_SIGNALS = ["SIGHUP", "SIGINT", "SIGTERM"] as const;

/** The words behind the options and the host. The other side's shell reads them as one line, as with ssh. */
function remoteCommand(words: readonly string[]): string {
  let at = 0;
  for (; words[at]?.startsWith("-"); at++) {
    // Git tries -G to find out whether this is OpenSSH.
    if (!OPTIONS_WITH_VALUE.includes(words[at] as string)) throw new Error(`unknown option ${words[at]}`);
    at++;
  }
  const command = words.slice(at + 1).join(" ");
  if (!command) throw new Error("usage: remote-shell [-l user] [-p port] [-o option] host command…");
  return command;
}

/** Copies the own input to the process, with its end. Ends early if the process has closed its input or exited. */
async function copyInput(remote: ExecProcess): Promise<void> {
  try {
    await Readable.toWeb(process.stdin).pipeTo(remote.stdin as WritableStream<Uint8Array>);
  } catch (error) {
    if (!(error instanceof ExecServerError && error.code === "ERR_STDIN_CLOSED")) throw error;
  }
}

/** Copies output of the process with backpressure. If nothing reads it any more, the process is ended as by ssh. */
async function copyOutput(
  from: ExecProcess["stdout"],
  to: NodeJS.WritableStream,
  remote: ExecProcess,
): Promise<void> {
  try {
    // Not by Writable.toWeb(): that of Node 20 takes thousands of chunks before it holds them back.
    await pipeline(Readable.fromWeb(from as NodeReadableStream), to, { end: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPIPE") throw error;
    await remote.kill("SIGPIPE");
  }
}

async function main(): Promise<number> {
  const command = remoteCommand(process.argv.slice(2));
  const url = process.env["EXEC_SERVER_URL"] ?? "ws://127.0.0.1:8080";
  await using client = new LazyExecServerClient({ transport: webSocket(url), keepAlive: true });
  // "pause": a local program that reads slowly slows down the remote one.
  const remote = await client.start(["sh", "-c", command], { stdin: "pipe", overflow: "pause" });
  for (const signal of FORWARDED_SIGNALS) {
    process.on(signal, () => void remote.kill(signal).catch(() => {}));
  }
  // The end of the process does not wait for the end of the input.
  const failed = copyInput(remote).then(() => new Promise<never>(() => {}));
  const copied = Promise.all([
    copyOutput(remote.stdout, process.stdout, remote),
    copyOutput(remote.stderr, process.stderr, remote),
  ]);
  await Promise.race([copied, failed]);
  const { exitCode } = await remote.closed;
  return exitCode < 0 ? OWN_FAILURE : exitCode;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`remote-shell: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = OWN_FAILURE;
}
// The own input may still be open.
process.stdin.destroy();
