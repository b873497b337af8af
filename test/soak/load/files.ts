import { all, Expected, errorOf, mustBe, type Work } from "./task.ts";

const MIB = 1024 * 1024;

/** Bytes known by their place, different for each name. */
function contentOf(name: string, size: number): Uint8Array<ArrayBuffer> {
  let start = 0;
  for (const letter of name) start = (start * 31 + letter.charCodeAt(0)) & 0xff;
  return Uint8Array.from({ length: size }, (_, at) => (start + at * 7 + (at >> 8)) & 0xff);
}

function inPieces(content: Uint8Array<ArrayBuffer>, size: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at < content.length) controller.enqueue(content.subarray(at, at + size));
      else controller.close();
      at += size;
    },
  });
}

/** Written and read back, whole or as a stream, up to a few blocks long. */
const roundTrip: Work = async (task) => {
  const { client, random, name, signal, directory } = task;
  const { fs } = client;
  const path = `${directory}/${name}`;
  const content = contentOf(name, random.chance(0.3) ? random.between(MIB, 3 * MIB) : random.below(50_000));
  const write = random.chance(0.5)
    ? fs.writeFile(path, content, { signal })
    : inPieces(content, random.between(1_000, 300_000)).pipeTo(fs.createWriteStream(path, { signal }));
  const error = await errorOf(write);
  if (error !== undefined) {
    const { bytesWritten = 0 } = error as { bytesWritten?: number };
    mustBe(
      bytesWritten >= 0 && bytesWritten <= content.length,
      `${name}: ${bytesWritten} bytes were written`,
    );
    throw error;
  }
  mustBe(
    (await fs.stat(path, { signal })).size === content.length,
    `${name} has not the size that was written`,
  );
  const back = new Expected(`${name} read back`, content, task);
  if (random.chance(0.5)) back.take(await fs.readFile(path, { signal }));
  else await back.takeAll(fs.createReadStream(path, { signal }));
  back.end();
  await fs.rm(path, { signal });
};

/** Streams that are given up on the way, in every way there is. */
const givenUp: Work = async (task) => {
  const { client, random, name, signal, directory } = task;
  const { fs } = client;
  const path = `${directory}/${name}`;
  const content = contentOf(name, random.between(MIB, 6 * MIB));
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const reason = new Error("enough");
  if (random.chance(0.5)) {
    const file = fs.createWriteStream(path, { signal: either }).getWriter();
    const writing = errorOf(all([file.write(content), file.closed]));
    await task.sleep(random.below(60));
    if (random.chance(0.5)) stop.abort(reason);
    const aborting = file.abort(reason);
    for (const error of [await writing, await errorOf(aborting)]) mustBeNothingBut(reason, error);
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
      stop.abort(reason);
      mustBeNothingBut(reason, await errorOf(next));
    } else await reader.cancel(reason);
  }
  await fs.rm(path, { signal, force: true });
};

/** The small operations, beside one another. */
const small: Work = async ({ client, name, signal, directory }) => {
  const { fs } = client;
  const path = `${directory}/${name}`;
  await fs.mkdir(`${path}/a/b`, { recursive: true, signal });
  await all(["one", "two"].map((file) => fs.writeFile(`${path}/a/${file}`, `${name} ${file}`, { signal })));
  await fs.cp(`${path}/a/one`, `${path}/a/b/three`, { signal });
  const [names, text, found, there, real] = await together([
    fs.readdir(`${path}/a`, { signal }),
    fs.readFile(`${path}/a/b/three`, { encoding: "utf8", signal }),
    fs.walk(path, { signal }),
    fs.exists(`${path}/none`, { signal }),
    fs.realpath(`${path}/a/../a/b`, { signal }),
  ]);
  mustBe(names.sort().join() === "b,one,two", `${name}: ${names}`);
  mustBe(text === `${name} one`, `${name}: ${text}`);
  mustBe(found.entries.length === 5, `${name}: ${found.entries.length} entries`);
  mustBe(!there && real.endsWith(`${name}/a/b`), `${name}: ${there}, ${real}`);
  await fs.rm(path, { recursive: true, signal });
};

/** Waits for a file that then comes. */
const appearing: Work = async ({ client, name, signal, directory }) => {
  const path = `${directory}/${name}`;
  const session = await client.get({ signal });
  await all([session.fs.whenAppears([path], { signal }), session.fs.writeFile(path, name, { signal })]);
  await client.fs.rm(path, { signal });
};

export const FILES: Readonly<Record<string, Work>> = { roundTrip, givenUp, small, appearing };

function mustBeNothingBut(reason: Error, error: unknown): void {
  if (error !== undefined && error !== reason) throw error;
}

/** Like `Promise.all`, but nothing is under way any more when it rejects. */
async function together<T extends readonly unknown[]>(
  work: readonly [...{ [K in keyof T]: Promise<T[K]> }],
): Promise<T> {
  await all(work);
  return (await Promise.all(work)) as unknown as T;
}
