import type { ExecProcess, ExecServerClient } from "../../src/index.ts";
import type { Random } from "../support/random.ts";
import { contentOf, pathOf } from "./files.ts";
import type { Chunk } from "./models.ts";
import { type Outcome, type OutcomeChecker, outcomeOf } from "./outcome.ts";
import type { FuzzServer } from "./server.ts";
import { refusalOf } from "./server-limits.ts";

/** One operation of the client, in flight. */
export interface Operation {
  readonly name: string;
  /** Never rejects. */
  readonly settled: Promise<unknown>;
  /** Throws a Violation unless the outcome is the one that the frames of the server require. */
  verify(checker: OutcomeChecker): void;
}

export interface OperationContext {
  readonly client: ExecServerClient;
  readonly server: FuzzServer;
  readonly random: Random;
  /** Unique for each operation. */
  readonly name: string;
}

export type StartOperation = (context: OperationContext) => Operation;

/** Operations whose outcome follows exactly from the frames of the server. */
export const EXACT: Readonly<Record<string, StartOperation>> = {
  process({ client, server, random, name }) {
    const start = outcomeOf(client.start(["program"], { processId: name, stdin: "pipe", signals: false }));
    const read = random.chance(0.5) ? readMerged : readSplit;
    let received: Awaited<ReturnType<typeof read>> | undefined;
    let started: Outcome<ExecProcess> | undefined;
    const all = async (): Promise<void> => {
      started = await start;
      if ("value" in started) received = await read(started.value);
    };
    return {
      name,
      settled: all(),
      verify(checker) {
        const model = server.processes.get(name)?.model;
        const isStarted = checker.checkResponse(
          started as Outcome<ExecProcess>,
          server.calls.get(name),
          `${name} start`,
        );
        if (!isStarted || !model || !received) return;
        checker.checkEqual(
          received.output,
          read === readMerged ? model.output : split(model.output),
          `${name} output`,
        );
        const sandboxDenied = "value" in received.exited ? received.exited.value.sandboxDenied : false;
        if (model.exitCode === undefined) checker.checkEnd(received.exited, model.end, `${name} exited`);
        else
          checker.checkEqual(
            received.exited,
            { value: { exitCode: model.exitCode, sandboxDenied } },
            `${name} exited`,
          );
        checker.checkEnd(received.end, model.end, `${name} output's end`);
        if (!checker.checkEnd(received.closed, model.end, `${name} closed`)) return;
        checker.checkEqual(
          "value" in received.closed && received.closed.value.exitCode,
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
      verify(checker) {
        const outcome = ran as NonNullable<typeof ran>;
        const call = server.calls.get(name);
        const model = server.processes.get(name)?.model;
        const isAnswered = call?.response?.type === "result";
        if (!isAnswered || !model) checker.checkResponse(outcome, call, `${name} start`);
        // A result of the wrong shape rejects the start, whatever the process does.
        else if (!call.isValid && "error" in outcome)
          checker.checkRejection(outcome, ["ERR_PROTOCOL", checker.endCode], name);
        else if (checker.checkEnd(outcome, model.end, name) && "value" in outcome) {
          const { stdout, stderr, exitCode } = outcome.value;
          checker.checkEqual(
            { stdout: latin1(stdout), stderr: latin1(stderr) },
            split(model.output),
            `${name} output`,
          );
          checker.checkEqual(exitCode, model.lastExitCode, `${name} exit code`);
        }
      },
    };
  },

  call(context) {
    return call(context, context.random.pick<unknown>([1, "text", null, [1, 2], { deep: { er: [] } }]));
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
      verify(checker) {
        const hasHead = checker.checkResponse(
          head as Outcome<Response>,
          server.calls.get(url),
          `${name} head`,
        );
        const model = server.bodyOf(url);
        if (!hasHead || !end || !model) return;
        checker.checkEqual(bytes, model.bytes, `${name} bytes`);
        checker.checkEnd(end, model.end, `${name} end`);
      },
    };
  },
};

/** Operations of several requests, or without an id of their own. Checked exactly only if no frame for them was corrupted. */
export const COMPOSITE: Readonly<Record<string, StartOperation>> = {
  status: (context) => composite(context, "environment/status", (client) => client.status()),
  info: (context) => composite(context, "environment/info", (client) => client.info()),
  terminal: (context) =>
    composite(
      context,
      context.name,
      async (client, signal) => {
        const terminal = await client.start(["sh"], { processId: context.name, tty: true, signal });
        await Promise.all([
          terminal.write("ls\n"),
          terminal.interrupt(),
          terminal.resize({ rows: 9, cols: 9 }),
        ]);
        await terminal.terminate();
      },
      ["ERR_PROTOCOL", "ERR_STDIN_CLOSED", "ERR_UNSUPPORTED"],
    ),
  input: (context) =>
    composite(
      context,
      context.name,
      async (client, signal) => {
        const signals = context.random.chance(0.5) ? undefined : false;
        const options = { processId: context.name, stdin: "pipe", signal, signals } as const;
        const cat = await client.start(["cat"], options);
        const writes = [cat.write("one"), cat.write("two")];
        await Promise.allSettled(writes);
        await Promise.all(writes);
        await cat.stdout.cancel();
        await cat.terminate();
      },
      ["ERR_PROTOCOL", "ERR_STDIN_CLOSED", "ERR_UNSUPPORTED"],
    ),
  readFile: (context) => {
    const path = filePath(context);
    return composite(
      context,
      path,
      (client, signal) => client.fs.readFile(path, { signal }),
      [],
      (bytes, checker) => checker.checkEqual(latin1(bytes), contentOf(path).toString("latin1"), path),
    );
  },
  readStream: (context) => {
    const path = filePath(context);
    return composite(
      context,
      path,
      async (client, signal) =>
        new Uint8Array(await new Response(client.fs.createReadStream(path, { signal })).arrayBuffer()),
      [],
      (bytes, checker) => checker.checkEqual(latin1(bytes), contentOf(path).toString("latin1"), path),
    );
  },
  writeStream: (context) => {
    const path = filePath(context);
    return composite(
      context,
      path,
      async (client, signal) => {
        const file = client.fs.createWriteStream(path, { signal }).getWriter();
        const done = [file.ready, file.write(contentOf(path)), file.close(), file.closed];
        await Promise.allSettled(done);
        await Promise.all(done);
      },
      [],
      (_, checker) =>
        checker.checkEqual(context.server.written.get(path) ?? Buffer.alloc(0), contentOf(path), path),
    );
  },
  writeFile: (context) => {
    const path = filePath(context);
    return composite(
      context,
      path,
      (client, signal) => client.fs.writeFile(path, contentOf(path), { signal }),
      [],
      (_, checker) =>
        checker.checkEqual(context.server.written.get(path) ?? Buffer.alloc(0), contentOf(path), path),
    );
  },
  small: (context) => {
    const path = filePath(context);
    const act = context.random.pick<(client: ExecServerClient, signal: AbortSignal) => Promise<unknown>>([
      (client, signal) => client.fs.stat(path, { signal }),
      (client, signal) => client.fs.exists(path, { signal }),
      (client, signal) => client.fs.readdir(path, { withFileTypes: true, signal }),
      (client, signal) => client.fs.walk(path, { signal }),
      (client, signal) => client.fs.realpath(path, { signal }),
      (client, signal) => client.fs.mkdir(path, { signal }),
      (client, signal) => client.fs.rm(path, { signal }),
      (client, signal) => client.fs.cp(path, `${path}-copy`, { signal }),
    ]);
    return composite(context, path, act);
  },
  watch: (context) =>
    composite(
      context,
      "/files/1/watched",
      (client, signal) => client.fs.whenAppears(["/files/1/watched"], { signal }),
      ["ERR_PROTOCOL", "ERR_SERVER"],
    ),
};

/** A call of a method that the SDK does not know. A value that the server can't read must be refused and not be sent. */
export function call({ client, server, name }: OperationContext, value: unknown): Operation {
  const params = { name, value };
  const refusal = refusalOf({ id: 1, method: "fuzz/echo", params });
  let outcome: Outcome<unknown> | undefined;
  return {
    name,
    settled: outcomeOf(client.call("fuzz/echo", params)).then((result) => {
      outcome = result;
    }),
    verify(checker) {
      const model = server.calls.get(name);
      const result = outcome as Outcome<unknown>;
      if (refusal) {
        checker.checkRejection(result, [refusal], name);
        checker.checkEqual(model, undefined, `${name} sent`);
        return;
      }
      const isAnswered = checker.checkResponse(result, model, name);
      if (isAnswered && model?.response?.type === "result" && "value" in result)
        checker.checkEqual(result.value, model.response.result, name);
      else if (model?.response?.type === "result") checker.checkEqual("a rejection", "any result", name);
      if (model?.response?.type !== "error" || !("error" in result)) return;
      const { rpcCode, data } = result.error as { rpcCode: number; data: unknown };
      checker.checkEqual(
        { rpcCode, data },
        { rpcCode: model.response.code, data: model.response.data },
        name,
      );
    },
  };
}

/**
 * @param subject The process id, path or method by which the server identifies the operation.
 * @param codes Error codes that are allowed even if no frame was corrupted.
 */
export function composite<T>(
  { client, server, random, name }: OperationContext,
  subject: string,
  act: (client: ExecServerClient, signal: AbortSignal) => Promise<T>,
  codes: readonly string[] = [],
  check?: (value: T, checker: OutcomeChecker) => void,
): Operation {
  const controller = new AbortController();
  const reason = new Error(`${name} was aborted`);
  if (random.chance(0.2)) setImmediate(() => controller.abort(reason));
  let outcome: Outcome<T> | undefined;
  return {
    name,
    settled: outcomeOf(act(client, controller.signal)).then((result) => {
      outcome = result;
    }),
    verify(checker) {
      const result = outcome as Outcome<T>;
      const isTrusted = !server.corrupted.has(subject);
      if ("value" in result) {
        if (isTrusted) check?.(result.value, checker);
        return;
      }
      if (result.error === reason) return;
      const refusals = server.refused.has(subject) ? ["ERR_SERVER"] : [];
      const corruptions = isTrusted
        ? []
        : [
            "ERR_SERVER",
            "ERR_PROTOCOL",
            "ERR_INVALID_ARGUMENT",
            "ERR_UNSUPPORTED",
            "ERR_TOO_LARGE",
            "ERR_STDIN_CLOSED",
          ];
      checker.checkRejection(
        result,
        [checker.endCode, ...codes, ...refusals, ...corruptions],
        `${name} (${subject})`,
      );
    },
  };
}

export function filePath({ random, name }: OperationContext): string {
  return pathOf(random.chance(0.01) ? 1_100_000 : random.below(3_000), name);
}

async function readMerged(process: ExecProcess) {
  const output: Chunk[] = [];
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

function split(chunks: readonly Chunk[]): { stdout: string; stderr: string } {
  const of = (matches: (stream: string) => boolean): string =>
    chunks
      .filter(({ stream }) => matches(stream))
      .map(({ bytes }) => bytes)
      .join("");
  return { stdout: of((stream) => stream !== "stderr"), stderr: of((stream) => stream === "stderr") };
}

export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
