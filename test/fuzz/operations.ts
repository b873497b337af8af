import type { ExecProcess, ExecServerClient } from "../../src/index.ts";
import type { Random } from "../support/random.ts";
import { contentOf, pathOf } from "./files.ts";
import type { Piece } from "./models.ts";
import { type Outcome, outcomeOf, type Verdict } from "./outcome.ts";
import type { FuzzServer } from "./server.ts";

/** Something that a program does with its client, under way. */
export interface Operation {
  readonly name: string;
  /** Never rejects. */
  readonly settled: Promise<unknown>;
  /** Throws a Violation if it came to anything else than the server's frames say. */
  verify(verdict: Verdict): void;
}

export interface Scene {
  readonly client: ExecServerClient;
  readonly server: FuzzServer;
  readonly random: Random;
  /** Of its own for each operation. */
  readonly name: string;
}

type Begin = (scene: Scene) => Operation;

/** What can be said of them exactly, since each is about one thing that only the server's frames decide. */
export const EXACT: Readonly<Record<string, Begin>> = {
  process({ client, server, random, name }) {
    const start = outcomeOf(client.start(["program"], { processId: name, stdin: "pipe" }));
    const read = random.chance(0.5) ? readMerged : readSplit;
    let seen: Awaited<ReturnType<typeof read>> | undefined;
    let started: Outcome<ExecProcess> | undefined;
    const all = async (): Promise<void> => {
      started = await start;
      if ("value" in started) seen = await read(started.value);
    };
    return {
      name,
      settled: all(),
      verify(verdict) {
        const model = server.processes.get(name)?.model;
        const isStarted = verdict.answered(
          started as Outcome<ExecProcess>,
          server.calls.get(name),
          `${name} start`,
        );
        if (!isStarted || !model || !seen) return;
        verdict.equal(
          seen.output,
          read === readMerged ? model.output : split(model.output),
          `${name} output`,
        );
        const sandboxDenied = "value" in seen.exited ? seen.exited.value.sandboxDenied : false;
        if (model.exitCode === undefined) verdict.ended(seen.exited, model.end, `${name} exited`);
        else
          verdict.equal(
            seen.exited,
            { value: { exitCode: model.exitCode, sandboxDenied } },
            `${name} exited`,
          );
        verdict.ended(seen.end, model.end, `${name} output's end`);
        if (!verdict.ended(seen.closed, model.end, `${name} closed`)) return;
        verdict.equal(
          "value" in seen.closed && seen.closed.value.exitCode,
          model.lastExitCode,
          `${name} exit code`,
        );
      },
    };
  },

  run({ client, server, name }) {
    let ran: Outcome<{ stdout: Uint8Array; stderr: Uint8Array; exitCode: number }> | undefined;
    const run = outcomeOf(client.run(["program"], { processId: name, encoding: "bytes", reject: false }));
    return {
      name,
      settled: run.then((outcome) => {
        ran = outcome;
      }),
      verify(verdict) {
        const outcome = ran as NonNullable<typeof ran>;
        const call = server.calls.get(name);
        const model = server.processes.get(name)?.model;
        const isAnswered = call?.answer?.type === "result";
        if (!isAnswered || !model) verdict.answered(outcome, call, `${name} start`);
        // A result of the wrong shape fails the start; what became of the process is then nobody's concern.
        else if (!call.isSound && "error" in outcome)
          verdict.failed(outcome, ["ERR_PROTOCOL", verdict.over], name);
        else if (verdict.ended(outcome, model.end, name) && "value" in outcome) {
          const { stdout, stderr, exitCode } = outcome.value;
          verdict.equal(
            { stdout: latin1(stdout), stderr: latin1(stderr) },
            split(model.output),
            `${name} output`,
          );
          verdict.equal(exitCode, model.lastExitCode, `${name} exit code`);
        }
      },
    };
  },

  call({ client, server, random, name }) {
    const params = { name, value: random.pick<unknown>([1, "text", null, [1, 2], { deep: { er: [] } }]) };
    let outcome: Outcome<unknown> | undefined;
    return {
      name,
      settled: outcomeOf(client.call("fuzz/echo", params)).then((came) => {
        outcome = came;
      }),
      verify(verdict) {
        const model = server.calls.get(name);
        const came = outcome as Outcome<unknown>;
        const isAnswered = verdict.answered(came, model, name);
        if (isAnswered && model?.answer?.type === "result" && "value" in came)
          verdict.equal(came.value, model.answer.result, name);
        else if (model?.answer?.type === "result") verdict.equal("a failure", "any result at all", name);
        if (model?.answer?.type !== "error" || !("error" in came)) return;
        const { rpcCode, data } = came.error as { rpcCode: number; data: unknown };
        verdict.equal({ rpcCode, data }, { rpcCode: model.answer.code, data: model.answer.data }, name);
      },
    };
  },

  body({ client, server, name }) {
    const url = `http://origin.test/${name}`;
    let head: Outcome<Response> | undefined;
    let bytes = "";
    let end: Outcome<unknown> | undefined;
    const all = async (): Promise<void> => {
      head = await outcomeOf(client.fetch(url));
      if (!("value" in head) || !head.value.body) return;
      const { body } = head.value;
      end = await outcomeOf(
        (async () => {
          for await (const chunk of body) bytes += latin1(chunk);
        })(),
      );
    };
    return {
      name,
      settled: all(),
      verify(verdict) {
        const hasHead = verdict.answered(head as Outcome<Response>, server.calls.get(url), `${name} head`);
        const model = server.bodyOf(url);
        if (!hasHead || !end || !model) return;
        verdict.equal(bytes, model.bytes, `${name} bytes`);
        verdict.ended(end, model.end, `${name} end`);
      },
    };
  },
};

/** What takes several requests, or has nothing of its own to be known by: right as long as nobody was told a lie. */
export const COMPOSITE: Readonly<Record<string, Begin>> = {
  status: (scene) => composite(scene, "environment/status", (client) => client.status()),
  info: (scene) => composite(scene, "environment/info", (client) => client.info()),
  terminal: (scene) =>
    composite(
      scene,
      scene.name,
      async (client, signal) => {
        const terminal = await client.start(["sh"], { processId: scene.name, tty: true, signal });
        await Promise.all([
          terminal.write("ls\n"),
          terminal.interrupt(),
          terminal.resize({ rows: 9, cols: 9 }),
        ]);
        await terminal.terminate();
      },
      ["ERR_PROTOCOL", "ERR_STDIN_CLOSED", "ERR_UNSUPPORTED"],
    ),
  input: (scene) =>
    composite(
      scene,
      scene.name,
      async (client, signal) => {
        const cat = await client.start(["cat"], { processId: scene.name, stdin: "pipe", signal });
        const writes = [cat.write("one"), cat.write("two")];
        await Promise.allSettled(writes);
        await Promise.all(writes);
        await cat.stdout.cancel();
        await cat.terminate();
      },
      ["ERR_STDIN_CLOSED"],
    ),
  readFile: (scene) => {
    const path = filePath(scene);
    return composite(
      scene,
      path,
      (client, signal) => client.fs.readFile(path, { signal }),
      [],
      (bytes, verdict) => verdict.equal(latin1(bytes), contentOf(path).toString("latin1"), path),
    );
  },
  readStream: (scene) => {
    const path = filePath(scene);
    return composite(
      scene,
      path,
      async (client, signal) =>
        new Uint8Array(await new Response(client.fs.createReadStream(path, { signal })).arrayBuffer()),
      [],
      (bytes, verdict) => verdict.equal(latin1(bytes), contentOf(path).toString("latin1"), path),
    );
  },
  writeStream: (scene) => {
    const path = filePath(scene);
    return composite(
      scene,
      path,
      async (client, signal) => {
        const file = client.fs.createWriteStream(path, { signal }).getWriter();
        const done = [file.ready, file.write(contentOf(path)), file.close(), file.closed];
        await Promise.allSettled(done);
        await Promise.all(done);
      },
      [],
      (_, verdict) => verdict.equal(scene.server.written.get(path) ?? Buffer.alloc(0), contentOf(path), path),
    );
  },
  writeFile: (scene) => {
    const path = filePath(scene);
    return composite(
      scene,
      path,
      (client, signal) => client.fs.writeFile(path, contentOf(path), { signal }),
      [],
      (_, verdict) => verdict.equal(scene.server.written.get(path) ?? Buffer.alloc(0), contentOf(path), path),
    );
  },
  small: (scene) => {
    const path = filePath(scene);
    const act = scene.random.pick<(client: ExecServerClient, signal: AbortSignal) => Promise<unknown>>([
      (client, signal) => client.fs.stat(path, { signal }),
      (client, signal) => client.fs.exists(path, { signal }),
      (client, signal) => client.fs.readdir(path, { withFileTypes: true, signal }),
      (client, signal) => client.fs.walk(path, { signal }),
      (client, signal) => client.fs.realpath(path, { signal }),
      (client, signal) => client.fs.mkdir(path, { signal }),
      (client, signal) => client.fs.rm(path, { signal }),
      (client, signal) => client.fs.cp(path, `${path}-copy`, { signal }),
    ]);
    return composite(scene, path, act);
  },
  watch: (scene) =>
    composite(
      scene,
      "/files/1/watched",
      (client, signal) => client.fs.whenAppears(["/files/1/watched"], { signal }),
      ["ERR_PROTOCOL", "ERR_SERVER"],
    ),
};

/**
 * @param subject What the server knows it by.
 * @param codes Further ways in which it may fail although nobody lied.
 */
function composite<T>(
  { client, server, random, name }: Scene,
  subject: string,
  act: (client: ExecServerClient, signal: AbortSignal) => Promise<T>,
  codes: readonly string[] = [],
  check?: (value: T, verdict: Verdict) => void,
): Operation {
  const stop = new AbortController();
  const reason = new Error(`${name} was given up`);
  if (random.chance(0.2)) setImmediate(() => stop.abort(reason));
  let outcome: Outcome<T> | undefined;
  return {
    name,
    settled: outcomeOf(act(client, stop.signal)).then((came) => {
      outcome = came;
    }),
    verify(verdict) {
      const came = outcome as Outcome<T>;
      const isTrusted = !server.attacked.has(subject);
      if ("value" in came) {
        if (isTrusted) check?.(came.value, verdict);
        return;
      }
      if (came.error === reason) return;
      const refusals = server.refused.has(subject) ? ["ERR_SERVER"] : [];
      const lies = isTrusted
        ? []
        : ["ERR_SERVER", "ERR_PROTOCOL", "ERR_INVALID_ARGUMENT", "ERR_TOO_LARGE", "ERR_STDIN_CLOSED"];
      verdict.failed(came, [verdict.over, ...codes, ...refusals, ...lies], `${name} (${subject})`);
    },
  };
}

function filePath({ random, name }: Scene): string {
  return pathOf(random.chance(0.01) ? 1_100_000 : random.below(3_000), name);
}

async function readMerged(process: ExecProcess) {
  const output: Piece[] = [];
  const end = await outcomeOf(
    (async () => {
      for await (const { seq, stream, chunk } of {
        [Symbol.asyncIterator]: () => process[Symbol.asyncIterator](),
      })
        output.push({ seq, stream, bytes: latin1(chunk) });
    })(),
  );
  return { output, end, exited: await outcomeOf(process.exited), closed: await outcomeOf(process.closed) };
}

async function readSplit(process: ExecProcess) {
  const output = { stdout: "", stderr: "" };
  const read = async (name: "stdout" | "stderr"): Promise<void> => {
    for await (const chunk of process[name]) output[name] += latin1(chunk);
  };
  const ends = await Promise.all([outcomeOf(read("stdout")), outcomeOf(read("stderr"))]);
  const end = ends.find((outcome) => "error" in outcome) ?? { value: undefined };
  return { output, end, exited: await outcomeOf(process.exited), closed: await outcomeOf(process.closed) };
}

function split(pieces: readonly Piece[]): { stdout: string; stderr: string } {
  const of = (isMeant: (stream: string) => boolean): string =>
    pieces
      .filter(({ stream }) => isMeant(stream))
      .map(({ bytes }) => bytes)
      .join("");
  return { stdout: of((stream) => stream !== "stderr"), stderr: of((stream) => stream === "stderr") };
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
