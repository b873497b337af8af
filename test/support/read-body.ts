/** Reads a body to its end. Resolves with the text of every chunk, and with the error if reading failed. */
export async function readBody(response: Response): Promise<{ pieces: string[]; error: unknown }> {
  const pieces: string[] = [];
  try {
    for await (const chunk of response.body ?? []) pieces.push(new TextDecoder().decode(chunk));
  } catch (error) {
    return { pieces, error };
  }
  return { pieces, error: undefined };
}
