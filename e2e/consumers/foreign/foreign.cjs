/** Uses a client with values of another realm: of an iframe, a vm context or jsdom. Returns a report of plain data. */

const HELLO = [104, 101, 108, 108, 111];

/**
 * @param realm The global object of the other realm, or the classes to use.
 * @param origin The HTTP origin; without one nothing is fetched.
 */
async function useForeignValues(client, realm, origin) {
  const bytes = new realm.Uint8Array(HELLO);
  const directory = (await client.run(["mktemp", "-d"])).stdout.trim();
  const report = {
    status: await client.status(),
    stdout: (await client.run(["echo", "hello"])).stdout,
    files: await writeFiles(client.fs, directory, {
      view: bytes,
      buffer: bytes.buffer,
      dataView: new realm.DataView(bytes.buffer),
    }),
    streamed: await stream(client.fs, `${directory}/streamed`, bytes),
    atUrl: await client.fs.readFile(new realm.URL(`file://${directory}/view`), "utf8"),
    echoed: await echo(client, bytes),
    aborted: await abort(client, new realm.AbortController()),
    fetched: origin && (await fetchAll(client, realm, bytes, origin)),
  };
  await client.fs.rm(directory, { recursive: true });
  return report;
}

async function writeFiles(fs, directory, values) {
  const texts = [];
  for (const [name, value] of Object.entries(values)) {
    await fs.writeFile(`${directory}/${name}`, value);
    texts.push(await fs.readFile(`${directory}/${name}`, "utf8"));
  }
  return texts;
}

async function stream(fs, path, bytes) {
  const writer = fs.createWriteStream(path).getWriter();
  await writer.write(bytes);
  await writer.close();
  const chunks = [];
  const reader = fs.createReadStream(path).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return chunks.join();
    chunks.push(...value);
  }
}

async function echo(client, bytes) {
  const cat = await client.start(["cat"], { stdin: "pipe" });
  await cat.write(bytes);
  const echoed = [];
  for await (const { chunk } of cat) {
    echoed.push(...chunk);
    if (echoed.length >= bytes.length) break;
  }
  await cat.terminate();
  return String.fromCharCode(...echoed);
}

async function abort(client, controller) {
  const pending = client.run(["sleep", "1000"], { signal: controller.signal });
  controller.abort("enough");
  return await pending.catch((reason) => reason);
}

async function fetchAll(client, realm, bytes, origin) {
  const { signal } = new realm.AbortController();
  const headers = new realm.Headers({ "x-realm": "foreign" });
  const post = { method: "POST", headers, signal };
  const answers = [
    await client.fetch(new realm.URL(`${origin}/echo`), { ...post, body: bytes }),
    await client.fetch(`${origin}/echo`, { ...post, body: bytes.buffer }),
    await client.fetch(`${origin}/echo`, { ...post, body: new realm.Blob([bytes]) }),
    await client.fetch(`${origin}/echo`, { ...post, body: streamOf(realm, bytes) }),
    await client.fetch(`${origin}/echo`, { ...post, body: new realm.URLSearchParams({ a: "b c" }) }),
    await client.fetch(new realm.Request(`${origin}/echo`, { method: "POST", headers, body: "hello" })),
  ];
  const form = new realm.FormData();
  form.append("a", "b c");
  const answer = await client.fetch(`${origin}/echo`, { ...post, body: form });
  const hasField = (await answer.text()).includes('name="a"\r\n\r\nb c\r\n');
  return [...(await Promise.all(answers.map((answer) => answer.text()))), hasField];
}

function streamOf(realm, chunk) {
  return new realm.ReadableStream({
    start(controller) {
      controller.enqueue(chunk);
      controller.close();
    },
  });
}

module.exports = { useForeignValues };
