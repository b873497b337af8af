import { ServerError } from "../errors/server.ts";
import { RAN } from "../filesystem/shell/run-script.ts";
import { FILE_SCRIPT } from "../filesystem/shell/script.ts";
import { concatBytes, textOf, utf8 } from "../internal/bytes.ts";
import { INVALID_REQUEST } from "./error-codes.ts";
import { keyOf, type TestFiles } from "./files.ts";
import type { TestProcess } from "./test-process.ts";

/** The exit code of a shell that does not find a program, by which the client knows that something can't be had. */
const NOT_FOUND = 127;

/** Whether a command is the shell of a file operation that the protocol does not have. */
export function isFileScript(argv: readonly string[]): boolean {
  return argv[0] === "/bin/sh" && argv[2]?.endsWith(`\n${FILE_SCRIPT}`) === true;
}

/** Plays that shell on files in memory, so that a test sees the files only. */
export async function playFileScript(process: TestProcess, files: TestFiles): Promise<void> {
  const [operation = "", path = "", ...args] = process.argv.slice(4);
  process.stderr(`${RAN}\n`);
  try {
    if (operation === "put") await put(process, files, keyOf(unescaped(path)), args);
    else perform(operation, files, keyOf(unescaped(path)), args);
    process.exit(0);
  } catch (error) {
    const { message, rpcCode } = error as Partial<ServerError>;
    process.stderr(`${String(message).replace(/ \(os error \d+\)$/, "")}\n`);
    process.exit(rpcCode === NOT_FOUND ? NOT_FOUND : 1);
  }
}

function perform(operation: string, files: TestFiles, key: string, [argument = ""]: readonly string[]): void {
  switch (operation) {
    case "mv":
      files.rename(key, keyOf(unescaped(argument)));
      return;
    case "chmod":
      files.entry(key);
      return;
    case "mkdir":
      files.createDirectory(key, false);
      return;
    case "room":
    case "pack":
      throw new ServerError("the test server has no tar", { rpcCode: NOT_FOUND });
    case "ln":
      throw new ServerError("the test server has no links", { rpcCode: NOT_FOUND });
    default:
      files.entry(key);
      throw new ServerError("Invalid argument", { rpcCode: INVALID_REQUEST });
  }
}

async function put(
  process: TestProcess,
  files: TestFiles,
  key: string,
  [flag, , length = ""]: readonly string[],
): Promise<void> {
  const exists = files.has(key);
  if (exists && flag === "x") throw new ServerError("File exists", { rpcCode: INVALID_REQUEST });
  if (!exists) process.stdout("new\n");
  const before = exists && flag === "a" ? files.file(key).bytes : new Uint8Array();
  const file = files.writeFile(key, before);
  const bytes = length ? await inputOf(process, Number(length)) : bytesOf(process.params.env["data"] ?? "");
  files.writeFile(key, concatBytes([file.bytes, bytes]));
}

async function inputOf(process: TestProcess, length: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let received = 0;
  for await (const chunk of process.input) {
    chunks.push(chunk);
    received += chunk.length;
    if (received >= length) break;
  }
  return concatBytes(chunks);
}

/** The bytes of a text that is written for `printf %b`. */
function bytesOf(text: string): Uint8Array {
  const parts = text.match(/\\0[0-7]{3}|\\\\|[^\\]+/g) ?? [];
  return concatBytes(
    parts.map((part) => {
      if (part.startsWith("\\0")) return Uint8Array.of(Number.parseInt(part.slice(2), 8));
      return utf8(part === "\\\\" ? "\\" : part);
    }),
  );
}

const unescaped = (path: string): string => textOf(bytesOf(path));
