import { assertHolds, Expected, errorOf, settleAll, type Work } from "./task.ts";

const MIB = 1024 * 1024;

/** Bytes that depend on their offset and on the name of the file. */
function contentOf(name: string, size: number): Uint8Array<ArrayBuffer> {
  let start = 0;
  for (const letter of name) start = (start * 31 + letter.charCodeAt(0)) & 0xff;
  return Uint8Array.from({ length: size }, (_, at) => (start + at * 7 + (at >> 8)) & 0xff);
}

function inChunks(content: Uint8Array<ArrayBuffer>, size: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at < content.length) controller.enqueue(content.subarray(at, at + size));
      else controller.close();
      at += size;
    },
  });
}

/** Writes a file of up to 3 MiB and reads it back, each whole or as a stream. */
const roundTrip: Work = async (task) => {
  const { client, random, name, signal, directory } = task;
  const { fs } = client;
  const path = `${directory}/${name}`;
  const content = contentOf(name, random.chance(0.3) ? random.between(MIB, 3 * MIB) : random.below(50_000));
  const write = random.chance(0.5)
    ? fs.writeFile(path, content, { signal })
    : inChunks(content, random.between(1_000, 300_000)).pipeTo(fs.createWriteStream(path, { signal }));
  const error = await errorOf(write);
  if (error !== undefined) {
    const { bytesWritten = 0 } = error as { bytesWritten?: number };
    assertHolds(
      bytesWritten >= 0 && bytesWritten <= content.length,
      `${name}: ${bytesWritten} bytes were written`,
    );
    throw error;
  }
  assertHolds(
    (await fs.stat(path, { signal })).size === content.length,
    `${name} does not have the size that was written`,
  );
  const back = new Expected(`${name} read back`, content, task);
  if (random.chance(0.5)) back.take(await fs.readFile(path, { signal }));
  else await back.takeAll(fs.createReadStream(path, { signal }));
  back.end();
  await fs.rm(path, { signal });
};

/** Streams that are aborted or cancelled halfway: by their signal, `abort()` or `cancel()`. */
const abortedStreams: Work = async (task) => {
  const { client, random, name, signal, directory } = task;
  const { fs } = client;
  const path = `${directory}/${name}`;
  const content = contentOf(name, random.between(MIB, 6 * MIB));
  const controller = new AbortController();
  const either = AbortSignal.any([signal, controller.signal]);
  const reason = new Error("stream aborted");
  if (random.chance(0.5)) {
    const file = fs.createWriteStream(path, { signal: either }).getWriter();
    const writing = errorOf(settleAll([file.write(content), file.closed]));
    await task.sleep(random.below(60));
    if (random.chance(0.5)) controller.abort(reason);
    const aborting = file.abort(reason);
    for (const error of [await writing, await errorOf(aborting)]) rethrowUnlessReason(error, reason);
  } else {
    await fs.writeFile(path, content, { signal });
    const expected = new Expected(`${name} begun`, content, task);
    const reader = fs.createReadStream(path, { signal: either, start: 0 }).getReader();
    for (let blocks = random.below(3); blocks > 0; blocks--) {
      const { value } = await reader.read();
      if (value) expected.take(value);
    }
    if (random.chance(0.5)) {
      const next = reader.read();
      controller.abort(reason);
      rethrowUnlessReason(await errorOf(next), reason);
    } else await reader.cancel(reason);
  }
  await fs.rm(path, { signal, force: true });
};

/** The operations on directories and metadata, at the same time. */
const directories: Work = async ({ client, name, signal, directory }) => {
  const { fs } = client;
  const path = `${directory}/${name}`;
  await fs.mkdir(`${path}/a/b`, { recursive: true, signal });
  await settleAll(
    ["one", "two"].map((file) => fs.writeFile(`${path}/a/${file}`, `${name} ${file}`, { signal })),
  );
  await fs.cp(`${path}/a/one`, `${path}/a/b/three`, { signal });
  const [names, text, found, there, real] = await settledValues([
    fs.readdir(`${path}/a`, { signal }),
    fs.readFile(`${path}/a/b/three`, { encoding: "utf8", signal }),
    fs.walk(path, { signal }),
    fs.exists(`${path}/none`, { signal }),
    fs.realpath(`${path}/a/../a/b`, { signal }),
  ]);
  assertHolds(names.sort().join() === "b,one,two", `${name}: ${names}`);
  assertHolds(text === `${name} one`, `${name}: ${text}`);
  assertHolds(found.entries.length === 5, `${name}: ${found.entries.length} entries`);
  assertHolds(!there && real.endsWith(`${name}/a/b`), `${name}: ${there}, ${real}`);
  await fs.rm(path, { recursive: true, signal });
};

/** Waits for a file that is then created. */
const whenAppears: Work = async ({ client, name, signal, directory }) => {
  const path = `${directory}/${name}`;
  const session = await client.get({ signal });
  await settleAll([session.fs.whenAppears([path], { signal }), session.fs.writeFile(path, name, { signal })]);
  await client.fs.rm(path, { signal });
};

export const FILES: Readonly<Record<string, Work>> = { roundTrip, abortedStreams, directories, whenAppears };

function rethrowUnlessReason(error: unknown, reason: Error): void {
  if (error !== undefined && error !== reason) throw error;
}

/** Like `Promise.all`, but rejects only after every promise has settled. */
async function settledValues<T extends readonly unknown[]>(
  work: readonly [...{ [K in keyof T]: Promise<T[K]> }],
): Promise<T> {
  await settleAll(work);
  return (await Promise.all(work)) as unknown as T;
}
