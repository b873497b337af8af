import { all, Expected, errorOf, lines, mustBe, toItsEnd, type Work } from "./task.ts";

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | undefined)?.code;

/** Prints numbered lines on both outputs, which are read in either way. */
const printing: Work = async (task) => {
  const { random, name, signal, client } = task;
  const [many, some] = [random.between(1, 2_500), random.between(1, 300)];
  const pause = `sleep 0.0${random.below(10)}`;
  const script = `seq -f '${name} out %.0f' ${many}; ${pause}; seq -f '${name} err %.0f' ${some} >&2`;
  const process = await client.start(["sh", "-c", script], { signal, env: task.env() });
  const stdout = new Expected(`${name} stdout`, lines(`${name} out`, many), task);
  const stderr = new Expected(`${name} stderr`, lines(`${name} err`, some), task);
  const merged = async (): Promise<void> => {
    let last = 0;
    for await (const { seq, stream, chunk } of {
      [Symbol.asyncIterator]: () => process[Symbol.asyncIterator](),
    }) {
      mustBe(seq > last, `${name}: event ${seq} came after event ${last}`);
      last = seq;
      (stream === "stderr" ? stderr : stdout).take(chunk);
    }
  };
  const split = (): Promise<void> => all([stdout.takeAll(process.stdout), stderr.takeAll(process.stderr)]);
  const { exitCode } = await toItsEnd(process, random.chance(0.5) ? merged() : split());
  stdout.end();
  stderr.end();
  mustBe(exitCode === 0, `${name} exited with ${exitCode}`);
};

/** Prints more than a socket holds. */
const flooding: Work = async (task) => {
  const { random, name, signal, client } = task;
  const bytes = random.between(100_000, 3_000_000);
  const process = await client.start(["sh", "-c", `yes '${name}' | head -c ${bytes}`], {
    signal,
    env: task.env(),
  });
  const line = `${name}\n`;
  const text = line.repeat(Math.ceil(bytes / line.length)).slice(0, bytes);
  const stdout = new Expected(`${name} flood`, text, task);
  await toItsEnd(process, stdout.takeAll(process.stdout));
  stdout.end();
};

/** Is written to, without waiting between, and answers with the same. */
const echoing: Work = async (task) => {
  const { random, name, signal, client } = task;
  const pieces = Array.from(
    { length: random.between(1, 20) },
    (_, n) => `${name} ${n} ${"x".repeat(random.below(2_000))}\n`,
  );
  const session = await client.get({ signal });
  const cat = await session.start(["cat"], { stdin: "pipe", signal, env: task.env(session) });
  const output = new Expected(`${name} echo`, pieces.join(""), task);
  const reading = async (): Promise<void> => {
    for await (const chunk of cat.stdout) {
      output.take(chunk);
      if (output.isComplete) await cat.terminate();
    }
  };
  await all([toItsEnd(cat, reading()), ...pieces.map((piece) => cat.write(piece))]);
  output.end();
  mustBe(
    codeOf(await errorOf(cat.write("more"))) === "ERR_STDIN_CLOSED",
    `${name}: an ended process takes input`,
  );
};

/** Prints for as long as anybody listens, and is left or stopped. */
const endless: Work = async (task) => {
  const { random, name, signal, client } = task;
  const session = await client.get({ signal });
  const script = `n=0; while :; do n=$((n+1)); echo "${name} $n" || exit; sleep 0.01; done`;
  const process = await session.start(["sh", "-c", script], { signal, env: task.env(session) });
  const wanted = random.between(1, 20);
  const output = new Expected(`${name} ticks`, lines(name, 1_000), task);
  const reading = async (): Promise<void> => {
    let seen = 0;
    for await (const chunk of process.stdout) {
      output.take(chunk);
      seen += new TextDecoder().decode(chunk).split("\n").length - 1;
      if (seen >= wanted) break;
    }
  };
  const error = await errorOf(reading());
  if (error !== undefined) throw error;
  await (random.chance(0.5) ? process.interrupt() : process.terminate());
  await process.closed;
};

/** A terminal: its size, its echo, and a line that is typed. */
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
  await all([toItsEnd(shell, reading()), shell.write(`${name}\n`)]);
  const seen = text.replaceAll("\r\n", "\n");
  // The echo may come before or after the size is printed.
  const expected = [`${rows} ${cols}\n`, `${name}\n`, `got ${name}\n`];
  mustBe(
    expected.every((line) => seen.includes(line)),
    `${name}: the terminal said ${JSON.stringify(seen)}`,
  );
  mustBe(
    seen.length === expected.join("").length,
    `${name}: the terminal said more: ${JSON.stringify(seen)}`,
  );
};

/** Commands run to their end, whatever that is. */
const commands: Work = async (task) => {
  const { random, name, signal, client } = task;
  const env = task.env();
  const count = random.between(1, 2_000);
  const kind = random.pick(["right", "wrong", "late", "missing", "much"]);
  if (kind === "right") {
    const { stdout } = await client.run(["seq", "-f", `${name} %.0f`, String(count)], { signal, env });
    new Expected(`${name} run`, lines(name, count), task).take(new TextEncoder().encode(stdout));
    mustBe(stdout.length === lines(name, count).length, `${name}: a run ended early`);
  } else if (kind === "wrong") {
    const error = await errorOf(client.run(["sh", "-c", `echo ${name}; exit 7`], { signal, env }));
    if (codeOf(error) !== "ERR_PROCESS_EXIT") throw error;
    const { exitCode, stdout } = error as { exitCode?: number; stdout?: string };
    mustBe(exitCode === 7 && stdout === `${name}\n`, `${name}: ${exitCode}, ${stdout}`);
  } else if (kind === "late") {
    const error = await errorOf(
      client.run(["sleep", "3"], { signal, env, timeoutMs: random.between(20, 150) }),
    );
    if (codeOf(error) !== "ERR_TIMEOUT") throw error;
  } else if (kind === "missing") {
    const error = await errorOf(client.run([`no-such-program-${name}`], { signal, env }));
    if (codeOf(error) !== "ERR_SERVER") throw error;
    mustBe((error as { kind?: string }).kind === "not-found", `${name}: ${error}`);
  } else {
    const error = await errorOf(client.run(["seq", "5000"], { signal, env, maxBufferedBytes: 1_000 }));
    if (codeOf(error) !== "ERR_OVERFLOW") throw error;
  }
};

export const PROCESSES: Readonly<Record<string, Work>> = {
  printing,
  flooding,
  echoing,
  endless,
  terminal,
  commands,
};
