import { Violation } from "../../support/violation.ts";
import { assertHolds, Expected, errorOf, lines, readToEnd, settleAll, type Work } from "./task.ts";

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | undefined)?.code;

/** A write to a process that the signal has terminated fails: then the abort is the outcome. */
async function unlessAborted(signal: AbortSignal, work: Promise<void>): Promise<void> {
  const error = await errorOf(work);
  if (error instanceof Violation) throw error;
  signal.throwIfAborted();
  if (error !== undefined) throw error;
}

/** Prints numbered lines on stdout and stderr, which are read merged or split. */
const bothOutputs: Work = async (task) => {
  const { random, name, signal, client } = task;
  const [stdoutLines, stderrLines] = [random.between(1, 2_500), random.between(1, 300)];
  const pause = `sleep 0.0${random.below(10)}`;
  const script = `seq -f '${name} out %.0f' ${stdoutLines}; ${pause}; seq -f '${name} err %.0f' ${stderrLines} >&2`;
  const process = await client.start(["sh", "-c", script], { signal, env: task.env() });
  const stdout = new Expected(`${name} stdout`, lines(`${name} out`, stdoutLines), task);
  const stderr = new Expected(`${name} stderr`, lines(`${name} err`, stderrLines), task);
  const merged = async (): Promise<void> => {
    let last = 0;
    for await (const { seq, stream, chunk } of {
      [Symbol.asyncIterator]: () => process[Symbol.asyncIterator](),
    }) {
      assertHolds(seq > last, `${name}: event ${seq} arrived after event ${last}`);
      last = seq;
      (stream === "stderr" ? stderr : stdout).take(chunk);
    }
  };
  const split = (): Promise<void> =>
    settleAll([stdout.takeAll(process.stdout), stderr.takeAll(process.stderr)]);
  const { exitCode } = await readToEnd(process, random.chance(0.5) ? merged() : split());
  // An abort terminates the process: its output ends early.
  signal.throwIfAborted();
  stdout.end();
  stderr.end();
  assertHolds(exitCode === 0, `${name} exited with ${exitCode}`);
};

/** Prints up to 3 MB, more than the socket buffers hold. */
const flood: Work = async (task) => {
  const { random, name, signal, client } = task;
  const bytes = random.between(100_000, 3_000_000);
  const process = await client.start(["sh", "-c", `yes '${name}' | head -c ${bytes}`], {
    signal,
    env: task.env(),
  });
  const line = `${name}\n`;
  const text = line.repeat(Math.ceil(bytes / line.length)).slice(0, bytes);
  const stdout = new Expected(`${name} flood`, text, task);
  await readToEnd(process, stdout.takeAll(process.stdout));
  signal.throwIfAborted();
  stdout.end();
};

/** Writes to the input of `cat` without waiting between the writes, and reads the echo. */
const stdinEcho: Work = async (task) => {
  const { random, name, signal, client } = task;
  const inputs = Array.from(
    { length: random.between(1, 20) },
    (_, n) => `${name} ${n} ${"x".repeat(random.below(2_000))}\n`,
  );
  const session = await client.get({ signal });
  const cat = await session.start(["cat"], { stdin: "pipe", signal, env: task.env(session) });
  const output = new Expected(`${name} echo`, inputs.join(""), task);
  let terminating: Promise<unknown> = Promise.resolve();
  const reading = async (): Promise<void> => {
    for await (const chunk of cat.stdout) {
      output.take(chunk);
      // An error of the terminate() call must not count as one of the output.
      if (output.isComplete) terminating = errorOf(cat.terminate());
    }
  };
  const writes = inputs.map((input) => cat.write(input));
  await unlessAborted(signal, settleAll([readToEnd(cat, reading()), ...writes]));
  const error = await terminating;
  signal.throwIfAborted();
  if (error !== undefined) throw error;
  output.end();
  assertHolds(
    codeOf(await errorOf(cat.write("more"))) === "ERR_STDIN_CLOSED",
    `${name}: an ended process accepted input`,
  );
};

/** Prints without end. The reader stops after some lines, then interrupts or terminates the process. */
const endless: Work = async (task) => {
  const { random, name, signal, client } = task;
  const session = await client.get({ signal });
  const script = `n=0; while :; do n=$((n+1)); echo "${name} $n" || exit; sleep 0.01; done`;
  const process = await session.start(["sh", "-c", script], { signal, env: task.env(session) });
  const wantedLines = random.between(1, 20);
  const output = new Expected(`${name} ticks`, lines(name, 1_000), task);
  const reading = async (): Promise<void> => {
    let linesRead = 0;
    for await (const chunk of process.stdout) {
      output.take(chunk);
      linesRead += new TextDecoder().decode(chunk).split("\n").length - 1;
      if (linesRead >= wantedLines) break;
    }
  };
  const error = await errorOf(reading());
  if (error !== undefined) throw error;
  await (random.chance(0.5) ? process.interrupt() : process.terminate());
  await process.closed;
};

/** A terminal: prints its size, echoes a typed line, and reads that line. */
const terminal: Work = async (task) => {
  const { random, name, signal, client } = task;
  const [rows, cols] = [random.between(1, 200), random.between(20, 200)];
  const session = await client.get({ signal });
  const script = 'stty size; read line; echo "got $line"';
  const shell = await session.start(["sh", "-c", script], {
    tty: { rows, cols },
    signal,
    env: task.env(session),
  });
  let text = "";
  const reading = async (): Promise<void> => {
    for await (const { chunk } of { [Symbol.asyncIterator]: () => shell[Symbol.asyncIterator]() }) {
      text += new TextDecoder().decode(chunk);
      task.count(chunk.length);
    }
  };
  await unlessAborted(signal, settleAll([readToEnd(shell, reading()), shell.write(`${name}\n`)]));
  signal.throwIfAborted();
  const printed = text.replaceAll("\r\n", "\n");
  // The echo may arrive before or after the printed size.
  const expected = [`${rows} ${cols}\n`, `${name}\n`, `got ${name}\n`];
  assertHolds(
    expected.every((line) => printed.includes(line)),
    `${name}: the terminal printed ${JSON.stringify(printed)}`,
  );
  assertHolds(
    printed.length === expected.join("").length,
    `${name}: the terminal printed more than expected: ${JSON.stringify(printed)}`,
  );
};

/** `run()` with every outcome: success, exit code, timeout, missing program, too much output. */
const commands: Work = async (task) => {
  const { random, name, signal, client } = task;
  const env = task.env();
  const count = random.between(1, 2_000);
  const kind = random.pick(["success", "exit code", "timeout", "missing", "overflow"]);
  if (kind === "success") {
    const { stdout } = await client.run(["seq", "-f", `${name} %.0f`, String(count)], { signal, env });
    new Expected(`${name} run`, lines(name, count), task).take(new TextEncoder().encode(stdout));
    assertHolds(stdout.length === lines(name, count).length, `${name}: a run ended early`);
  } else if (kind === "exit code") {
    const error = await errorOf(client.run(["sh", "-c", `echo ${name}; exit 7`], { signal, env }));
    if (codeOf(error) !== "ERR_PROCESS_EXIT") throw error;
    const { exitCode, stdout } = error as { exitCode?: number; stdout?: string };
    assertHolds(exitCode === 7 && stdout === `${name}\n`, `${name}: ${exitCode}, ${stdout}`);
  } else if (kind === "timeout") {
    const error = await errorOf(
      client.run(["sleep", "3"], { signal, env, timeoutMs: random.between(20, 150) }),
    );
    if (codeOf(error) !== "ERR_TIMEOUT") throw error;
  } else if (kind === "missing") {
    const error = await errorOf(client.run([`no-such-program-${name}`], { signal, env }));
    if (codeOf(error) !== "ERR_SERVER") throw error;
    assertHolds((error as { kind?: string }).kind === "not-found", `${name}: ${error}`);
  } else {
    const error = await errorOf(client.run(["seq", "5000"], { signal, env, maxBufferedBytes: 1_000 }));
    if (codeOf(error) !== "ERR_OVERFLOW") throw error;
  }
};

export const PROCESSES: Readonly<Record<string, Work>> = {
  bothOutputs,
  flood,
  stdinEcho,
  endless,
  terminal,
  commands,
};
