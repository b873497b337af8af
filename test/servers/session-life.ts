import { ExecServerClient, webSocket } from "../../src/index.ts";
import { ExecServer } from "../support/exec-server.ts";

const POLL_MS = 200;
/** Seconds by which a busy machine may be late. */
const TOLERANCE = 8;

/** How long a process outlives its connection, in whole seconds. Rejects if that is not what is expected. */
export async function sessionLife(binary: string, expected: number): Promise<string> {
  await using server = await ExecServer.start({ binary });
  const client = await ExecServerClient.connect({ transport: webSocket(server.url) });
  const sleeping = await client.start(["sh", "-c", "echo $$; exec sleep 600"], { cwd: "/" });
  const { value } = await sleeping.stdout.getReader().read();
  const pid = Number(Buffer.from(value ?? []).toString());
  await client.close();
  const closed = performance.now();
  const seconds = (): number => (performance.now() - closed) / 1000;
  while (isRunning(pid) && seconds() < expected + TOLERANCE) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const isLeft = isRunning(pid);
  if (isLeft) process.kill(pid, "SIGKILL");
  if (isLeft || seconds() < expected - 1)
    throw new Error(`expected ${expected} s, got ${Math.round(seconds())} s`);
  return `${Math.round(seconds())} s`;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
