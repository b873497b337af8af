import type { ExecProcess } from "../../src/index.ts";

/** Reads the merged output of a process. Resolves with the chunks as `stream:text`, and with the error if reading failed. */
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
