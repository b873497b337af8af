/** Every chunk of a body as text, and with what the reading ended. */
export async function readBody(response: Response): Promise<{ pieces: string[]; error: unknown }> {
  const pieces: string[] = [];
  try {
    for await (const chunk of response.body ?? []) pieces.push(new TextDecoder().decode(chunk));
  } catch (error) {
    return { pieces, error };
  }
  return { pieces, error: undefined };
}
