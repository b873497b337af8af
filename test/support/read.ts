import type { ExecProcess } from "../../src/index.ts";

/** Everything a process says, in order, as `stream:text`, and how that ended. */
export async function readAll(process: ExecProcess): Promise<{ pieces: string[]; error: unknown }> {
  const pieces: string[] = [];
  try {
    for await (const { stream, chunk } of process)
      pieces.push(`${stream}:${new TextDecoder().decode(chunk)}`);
  } catch (error) {
    return { pieces, error };
  }
  return { pieces, error: undefined };
}
