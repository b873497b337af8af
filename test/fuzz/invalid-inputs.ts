import type { ExecServerClient } from "../../src/index.ts";
import type { Random } from "../support/random.ts";
import { foreignRecord } from "./foreign-values.ts";
import { call, type Operation, type OperationContext, type StartOperation } from "./operations.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";

/** Operations with arguments that the SDK must refuse without sending a request, or values around a limit of the server. */
export const INVALID: Readonly<Record<string, StartOperation>> = {
  text: (context) => call(context, randomText(context.random)),
  depth: (context) => call(context, nested(context.random.between(118, 132), context.random)),
  /** With its other values, a long request has as many as the server reads, or one more. Few are: each is 1 MiB. */
  values: ({ random, ...context }) =>
    call(
      { random, ...context },
      list(random.chance(0.2) ? random.pick([262_138, 262_139]) : random.below(99)),
    ),
  illFormedText(context) {
    const [what, act] = context.random.pick(Object.entries(ILL_FORMED));
    const text = illFormed(context.random);
    return refused(context, what, (client) => act(client, text), ["ERR_INVALID_ARGUMENT"]);
  },
  unknownOption(context) {
    const { random } = context;
    const [what, act] = random.pick(Object.entries(OPTIONS));
    const option = random.pick(UNKNOWN_OPTIONS);
    const record = { [option]: random.pick<unknown>([true, 0, "text", null, {}]) };
    const options = random.pick([record, foreignRecord(record), { __proto__: null, ...record }]);
    return refused(
      context,
      `${what} with ${option}`,
      (client) => act(client, options as never),
      ["ERR_INVALID_ARGUMENT", "ERR_UNSUPPORTED"],
      option,
    );
  },
};

/** Names that are no option of any method, close to those that are. */
const UNKNOWN_OPTIONS = ["timeoutms", "singal", "recursiv", "cwdd", "stdinn", "constructor", "0", "étage"];

const PATH = "/files/1/refused";
const ARGV = ["program"];

type Act<T> = (client: ExecServerClient, value: T) => Promise<unknown> | unknown;

const OPTIONS: Readonly<Record<string, Act<never>>> = {
  run: (client, options) => client.run(ARGV, options),
  start: (client, options) => client.start(ARGV, options),
  info: (client, options) => client.info(options),
  status: (client, options) => client.status(options),
  call: (client, options) => client.call("fuzz/echo", {}, options),
  readFile: (client, options) => client.fs.readFile(PATH, options),
  writeFile: (client, options) => client.fs.writeFile(PATH, "text", options),
  mkdir: (client, options) => client.fs.mkdir(PATH, options),
  rm: (client, options) => client.fs.rm(PATH, options),
  cp: (client, options) => client.fs.cp(PATH, `${PATH}-copy`, options),
  realpath: (client, options) => client.fs.realpath(PATH, options),
  exists: (client, options) => client.fs.exists(PATH, options),
  stat: (client, options) => client.fs.stat(PATH, options),
  readdir: (client, options) => client.fs.readdir(PATH, options),
  walk: (client, options) => client.fs.walk(PATH, options),
  createReadStream: (client, options) => client.fs.createReadStream(PATH, options).getReader().read(),
  createWriteStream: (client, options) => client.fs.createWriteStream(PATH, options).getWriter().write(),
  whenAppears: (client, options) => client.fs.whenAppears([PATH], options),
};

const ILL_FORMED: Readonly<Record<string, Act<string>>> = {
  "argv[0]": (client, text) => client.run([text]),
  "argv[1]": (client, text) => client.start(["program", text]),
  "a value in env": (client, text) => client.run(ARGV, { env: { NAME: text } }),
  "a name in env": (client, text) => client.run(ARGV, { env: { [text]: "value" } }),
  arg0: (client, text) => client.run(ARGV, { arg0: text }),
  processId: (client, text) => client.start(ARGV, { processId: text }),
  cwd: (client, text) => client.run(ARGV, { cwd: `/work/${text}` }),
  "a path": (client, text) => client.fs.readFile(`/files/${text}`),
  "a destination": (client, text) => client.fs.cp(PATH, `/files/${text}`),
  "a header": (client, text) => client.fetch("http://origin.test/", { headers: { "x-name": text } }),
  "a name in the params of a call": (client, text) => client.call("fuzz/echo", { [text]: 1 }),
  "a method": (client, text) => client.call(`fuzz/${text}`, {}),
};

const HIGH = "\ud83d";
const LOW = "\ude00";

/** A text that was cut inside an emoji, or a similar one. */
function illFormed(random: Random): string {
  return random.pick([`smile ${HIGH}`, `${LOW} smile`, `a${HIGH}b`, LOW + HIGH, `${HIGH}${HIGH}${LOW}`]);
}

/** Text with and without half of a surrogate pair, and texts that look like its escape in JSON. */
function randomText(random: Random): string {
  const pieces = [HIGH, LOW, HIGH + LOW, "\\", "\\ud83d", '"', "u", "d", "\\u", "ud83d", "\n", "é", "\ud7ff"];
  let text = "";
  for (let count = random.below(6); count > 0; count--) text += random.pick(pieces);
  return text;
}

function nested(depth: number, random: Random): unknown {
  let value: unknown = random.pick<unknown>([1, '"]}[{', []]);
  for (let levels = 0; levels < depth; levels++)
    value = random.pick<unknown>([[value], { a: value }, ["],", value]]);
  return value;
}

function list(length: number): readonly unknown[] {
  return Array.from({ length }, (_, index) => (index % 2 === 0 ? 0 : "[,]"));
}

/** The call must reject with one of these codes, and nothing may be sent for it. */
function refused(
  { client, server, name }: OperationContext,
  what: string,
  act: (client: ExecServerClient) => unknown,
  codes: readonly string[],
  named?: string,
): Operation {
  let outcome: Outcome<unknown> | undefined;
  return {
    name,
    settled: outcomeOf((async () => await act(client))()).then((result) => {
      outcome = result;
    }),
    verify(checker) {
      const result = outcome as Outcome<unknown>;
      // The connection may have ended before the call.
      checker.checkRejection(result, [...codes, checker.endCode], `${name}: ${what}`);
      checker.checkEqual(server.calls.has(PATH), false, `${name}: ${what} was sent`);
      const { message, code } = (result as { error: Error & { code?: string } }).error;
      if (named !== undefined && code !== checker.endCode)
        checker.checkEqual(message.includes(named), true, `"${message}" names ${named}`);
    },
  };
}
