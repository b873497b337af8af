import { all, errorOf, mustBe, type Work } from "./task.ts";

/** Many who ask at once: one client for all of them, or one error. */
const crowd: Work = async ({ client, signal, random }) => {
  const outcomes = await Promise.all(
    Array.from({ length: random.between(2, 40) }, async () => {
      try {
        return await client.get({ signal });
      } catch (error) {
        return error;
      }
    }),
  );
  mustBe(new Set(outcomes).size === 1, `a crowd got ${new Set(outcomes).size} different outcomes`);
  if (outcomes[0] instanceof Error) throw outcomes[0];
};

/** Calls of every kind beside one another. */
const calls: Work = async ({ client, signal, directory }) => {
  await all([
    client.status({ signal }).then(({ status }) => mustBe(status === "ready", `status ${status}`)),
    client.info({ signal }).then(({ cwd }) => mustBe(typeof cwd === "string", `cwd ${cwd}`)),
    client.fs.stat(directory, { signal }).then((stats) => mustBe(stats.isDirectory(), "no directory")),
    client.call("environment/status", null, { signal }),
  ]);
};

/** Many at once. */
const burst: Work = async ({ client, signal, random }) => {
  await all(Array.from({ length: random.between(20, 100) }, () => client.status({ signal })));
};

/** A caller that leaves at once, or very soon. */
const impatient: Work = async ({ client, random }) => {
  const stop = new AbortController();
  const reason = new Error("no patience");
  const work = [client.get({ signal: stop.signal }), client.status({ signal: stop.signal })];
  if (random.chance(0.5)) await Promise.resolve();
  stop.abort(reason);
  for (const error of await Promise.all(work.map(errorOf))) {
    if (error !== undefined && error !== reason) throw error;
  }
};

export const CALLS: Readonly<Record<string, Work>> = { crowd, calls, burst, impatient };
