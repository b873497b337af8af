/** One program for every runtime. Each function returns a report of plain data. */

/** Runs commands, uses a file and sends an HTTP request. */
export async function useEverything(client, origin) {
  const { stdout } = await client.run(["echo", "hello"]);
  const failed = await failureOf(client.run(["sh", "-c", "exit 7"]));
  const answer = await client.fetch(`${origin}/hello`);
  return {
    stdout,
    failed: [failed.code, failed.exitCode],
    echoed: await echo(client, "through a pipe"),
    file: await writeAndRead(client.fs, (await client.run(["mktemp"])).stdout.trim(), "in a file"),
    fetched: await answer.text(),
  };
}

/**
 * Uses a client before and after the loss of its server. `connect` makes the client; it receives the function to call for
 * each dial.
 */
export async function lifecycle(connect, origin) {
  let dials = 0;
  const client = connect(() => dials++);
  const before = { state: client.state, dials };
  const used = await useEverything(client, origin);
  const { sessionId } = await client.get();
  const lost = await killServer(client);
  const down = await failureOf(client.get());
  await fetch(`${origin}/restart`);
  const dialsBefore = dials;
  const crowd = await Promise.all(Array.from({ length: 20 }, () => client.get()));
  const after = {
    clients: new Set(crowd).size,
    dials: dials - dialsBefore,
    isNewSession: crowd[0].sessionId !== sessionId,
    echoed: await echo(client, "again"),
  };
  await client.close();
  return { before, ...used, lost, down: down.code, after, closed: client.state };
}

/** Kills the server, which is the parent process of each command. */
export async function killServer(client) {
  const { code, closeCode } = await failureOf(client.run(["sh", "-c", "kill -KILL $PPID"]));
  return { code, closeCode };
}

export async function failureOf(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("expected a rejection");
}

async function echo(client, text) {
  const cat = await client.start(["cat"], { stdin: "pipe" });
  await cat.write(text);
  const decoder = new TextDecoder();
  let echoed = "";
  for await (const { chunk } of cat) {
    echoed += decoder.decode(chunk, { stream: true });
    if (echoed.length >= text.length) break;
  }
  await cat.terminate();
  return echoed;
}

async function writeAndRead(fs, path, text) {
  await fs.writeFile(path, text);
  const read = await new Response(fs.createReadStream(path)).text();
  await fs.rm(path);
  return read;
}
