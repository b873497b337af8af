import { assertHolds, Expected, errorOf, lines, type Work } from "./task.ts";

/** A response body of numbered lines, streamed in chunks. */
const download: Work = async (task) => {
  const { client, random, name, signal, origin } = task;
  const count = random.between(1, random.chance(0.1) ? 60_000 : 3_000);
  const pause = random.below(10);
  const response = await client.fetch(`${origin}/lines/${name}/${count}/${pause}`, { signal });
  assertHolds(response.status === 200, `${name}: status ${response.status}`);
  assertHolds(
    response.headers.get("x-name") === name,
    `${name}: got the response to ${response.headers.get("x-name")}`,
  );
  const expected = new Expected(`${name} body`, lines(name, count), task);
  if (response.body) await expected.takeAll(response.body);
  expected.end();
};

/** A request body that the origin echoes. */
const upload: Work = async (task) => {
  const { client, random, name, signal, origin } = task;
  const text = lines(name, random.between(1, 20_000));
  const response = await client.fetch(`${origin}/echo/${name}`, { method: "POST", body: text, signal });
  const expected = new Expected(`${name} echoed`, text, task);
  expected.take(new Uint8Array(await response.arrayBuffer()));
  expected.end();
};

/** A delayed response: read, timed out, or cancelled unread. */
const delayed: Work = async (task) => {
  const { client, random, name, signal, origin } = task;
  const kind = random.pick(["read", "timeout", "cancel"]);
  const url = `${origin}/slow/${name}/${random.between(50, 500)}/${kind}`;
  if (kind === "timeout") {
    const error = await errorOf(client.fetch(url, { timeoutMs: 20, signal }));
    if ((error as { code?: string })?.code !== "ERR_TIMEOUT") throw error;
    return;
  }
  const response = await client.fetch(url, { signal });
  if (kind === "cancel") await response.body?.cancel();
  else assertHolds((await response.text()) === name, `${name}: got another response`);
};

export const HTTP: Readonly<Record<string, Work>> = { download, upload, delayed };
