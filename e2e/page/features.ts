import type { ExecProcess, LazyExecServerClient } from "exec-server-sdk";

/** Where a feature may work, as plain data. */
export interface Grounds {
  /** An empty directory of the server. */
  readonly directory: string;
  /** An HTTP origin that echoes bodies at `/echo`. */
  readonly origin: string;
}

/** More than one block of a file. */
const LARGE = 3 * 1024 * 1024 + 5;

const text = (bytes: AllowSharedBufferSource): string => new TextDecoder().decode(bytes);

/** What users do with a client, each with a report of plain data. */
export const features = {
  async commands(client: LazyExecServerClient) {
    const { exitCode, stdout, stderr } = await client.run(["sh", "-c", "echo out; echo err >&2; exit 3"], {
      reject: false,
    });
    const cat = await client.start(["cat"], { stdin: "pipe" });
    const reader = cat.stdout.getReader();
    await cat.write("grüße");
    const echoed = text((await reader.read()).value ?? new Uint8Array());
    reader.releaseLock();
    await cat.terminate();
    return { exitCode, stdout, stderr, echoed };
  },

  async terminal(client: LazyExecServerClient) {
    const shell = await client.start(["sh"], { tty: { rows: 24, cols: 80 } });
    const output = outputOf(shell);
    await shell.write("stty size\n");
    await output.until("24 80");
    await shell.resize({ rows: 40, cols: 120 });
    await shell.write("stty size\n");
    await output.until("40 120");
    await shell.write("exit 4\n");
    return await shell.closed;
  },

  async files({ fs }: LazyExecServerClient, { directory }: Grounds) {
    const path = `${directory}/a/b/hello.txt`;
    await fs.mkdir(`${directory}/a/b`, { recursive: true });
    await fs.writeFile(path, "grüße\n");
    const read = await fs.readFile(path, "utf8");
    const { size } = await fs.stat(path);
    const names = await fs.readdir(`${directory}/a/b`);
    await fs.rm(`${directory}/a`, { recursive: true });
    return { read, size, names, exists: await fs.exists(`${directory}/a`) };
  },

  async streams({ fs }: LazyExecServerClient, { directory }: Grounds) {
    const bytes = new Uint8Array(LARGE).map((_, at) => at % 251);
    const path = `${directory}/large.bin`;
    await new Blob([bytes]).stream().pipeTo(fs.createWriteStream(path));
    const copy = `${directory}/copy.bin`;
    await fs.createReadStream(path).pipeTo(fs.createWriteStream(copy));
    const back = new Uint8Array(await new Response(fs.createReadStream(copy)).arrayBuffer());
    return { length: back.length, isSame: back.every((byte, at) => byte === at % 251) };
  },

  /** Reads each kind of stream by `for await`. A stream that can not be iterated is reported as the error. */
  async iteration(client: LazyExecServerClient, { directory, origin }: Grounds) {
    const path = `${directory}/short.txt`;
    await client.fs.writeFile(path, "in a file");
    const echo = () => client.start(["echo", "-n", "by a process"]);
    const streams: Record<string, () => Promise<AsyncIterable<Uint8Array>> | AsyncIterable<Uint8Array>> = {
      createReadStream: () => client.fs.createReadStream(path),
      values: () => client.fs.createReadStream(path).values(),
      process: async () => chunksOf(await echo()),
      stdout: async () => (await echo()).stdout,
      fetch: async () => {
        const response = await client.fetch(`${origin}/echo`, { method: "POST", body: "in a response" });
        if (!response.body) throw new Error("the response has no body");
        return response.body;
      },
    };
    const report: Record<string, string> = {};
    for (const [name, open] of Object.entries(streams)) report[name] = await iterated(open);
    return report;
  },

  /** Leaves a loop before the end of its stream, which cancels the stream. */
  async unfinishedIteration({ fs }: LazyExecServerClient, { directory }: Grounds) {
    const path = `${directory}/long.bin`;
    await fs.writeFile(path, new Uint8Array(LARGE));
    const stream = fs.createReadStream(path);
    for await (const { length } of stream) if (length > 0) break;
    return { isLocked: stream.locked, isDone: (await stream.getReader().read()).done };
  },

  async http(client: LazyExecServerClient, { origin }: Grounds) {
    const url = `${origin}/echo`;
    const response = await client.fetch(url, { method: "POST", body: '{"a":1}' });
    const form = await client.fetch(
      new Request(url, { method: "POST", body: new URLSearchParams({ b: "2" }) }),
    );
    return { status: response.status, json: await response.json(), form: await form.text() };
  },
};

export type FeatureName = keyof typeof features;

/** Collects the output of a terminal, and waits for a text in it. */
function outputOf(process: ExecProcess): { until(text: string): Promise<void> } {
  const output = process[Symbol.asyncIterator]();
  const decoder = new TextDecoder();
  let seen = "";
  return {
    async until(expected) {
      while (!seen.includes(expected)) {
        const { done, value } = await output.next();
        if (done) throw new Error(`expected ${expected} in the output of the terminal, got ${seen}`);
        seen += decoder.decode(value.chunk, { stream: true });
      }
    },
  };
}

async function* chunksOf(process: ExecProcess): AsyncGenerator<Uint8Array> {
  for await (const { chunk } of process) yield chunk;
}

async function iterated(
  open: () => Promise<AsyncIterable<Uint8Array>> | AsyncIterable<Uint8Array>,
): Promise<string> {
  const decoder = new TextDecoder();
  let all = "";
  try {
    for await (const chunk of await open()) all += decoder.decode(chunk, { stream: true });
    return all;
  } catch (error) {
    return String(error);
  }
}
