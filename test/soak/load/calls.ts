import { assertHolds, errorOf, settleAll, type Work } from "./task.ts";

/** Concurrent `get()` calls share one outcome: the same client or the same error. */
const concurrentGets: Work = async ({ client, signal, random }) => {
  const outcomes = await Promise.all(
    Array.from({ length: random.between(2, 40) }, async () => {
      try {
        return await client.get({ signal });
      } catch (error) {
        return error;
      }
    }),
  );
  assertHolds(
    new Set(outcomes).size === 1,
    `concurrent get() calls got ${new Set(outcomes).size} different outcomes`,
  );
  if (outcomes[0] instanceof Error) throw outcomes[0];
};

/** Calls of every kind at the same time. */
const calls: Work = async ({ client, signal, directory }) => {
  await settleAll([
    client.status({ signal }).then(({ status }) => assertHolds(status === "ready", `status ${status}`)),
    client.info({ signal }).then(({ cwd }) => assertHolds(typeof cwd === "string", `cwd ${cwd}`)),
    client.fs.stat(directory, { signal }).then((stats) => assertHolds(stats.isDirectory(), "no directory")),
    client.call("environment/status", null, { signal }),
  ]);
};

/** 20 to 100 calls at the same time. */
const burst: Work = async ({ client, signal, random }) => {
  await settleAll(Array.from({ length: random.between(20, 100) }, () => client.status({ signal })));
};

/** Calls that are aborted at once, or one microtask later. */
const immediateAbort: Work = async ({ client, random }) => {
  const controller = new AbortController();
  const reason = new Error("aborted at once");
  const work = [client.get({ signal: controller.signal }), client.status({ signal: controller.signal })];
  if (random.chance(0.5)) await Promise.resolve();
  controller.abort(reason);
  for (const error of await Promise.all(work.map(errorOf))) {
    if (error !== undefined && error !== reason) throw error;
  }
};

export const CALLS: Readonly<Record<string, Work>> = { concurrentGets, calls, burst, immediateAbort };
