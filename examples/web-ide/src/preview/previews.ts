/** One port of the exec-server's machine, on an origin of its own. */
export interface Preview {
  readonly id: string;
  readonly port: number;
  readonly origin: string;
  /** Works once, within a minute: it gives the frame its access, and leads to `/`. */
  readonly url: string;
}

/** Opens a port, or an open one again with a new `url`. The error's message can be shown. */
export async function openPreview(port: number): Promise<Preview> {
  const response = await fetch("/api/previews", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ port }),
  });
  const answer = (await response.json()) as Preview & { error?: string };
  if (!response.ok) throw new Error(answer.error ?? `the page's server answered ${response.status}`);
  return answer;
}

/** Ends the preview and its connections. */
export async function closePreview({ id }: Preview): Promise<void> {
  await fetch(`/api/previews/${id}`, { method: "DELETE" });
}
