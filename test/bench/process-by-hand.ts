import { newId, type RpcClient } from "./rpc-client.ts";

/** Starts a process, in a terminal if `tty` is set; `closed` resolves when all its output has been passed to `onChunk`. */
export async function startByHand(
  client: RpcClient,
  argv: string[],
  onChunk: (chunk: Uint8Array) => void,
  tty = false,
): Promise<{ processId: string; closed: Promise<void> }> {
  const processId = newId();
  // The server sends events from different tasks, so they can arrive out of order.
  const held = new Map<number, { chunk: Uint8Array | undefined; isLast: boolean }>();
  let nextSeq = 1;
  const closed = new Promise<void>((onClosed) => {
    client.listeners.set(processId, (method, params) => {
      const chunk = method === "process/output" ? Buffer.from(params.chunk, "base64") : undefined;
      held.set(params.seq, { chunk, isLast: method === "process/closed" });
      for (let event = held.get(nextSeq); event; event = held.get(nextSeq)) {
        held.delete(nextSeq++);
        if (event.chunk) onChunk(event.chunk);
        if (event.isLast) onClosed();
      }
    });
  });
  await client.call("process/start", {
    processId,
    argv,
    cwd: "file:///",
    env: { PATH: "/usr/bin:/bin" },
    tty,
  });
  return { processId, closed: closed.finally(() => client.listeners.delete(processId)) };
}
