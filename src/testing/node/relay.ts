/**
 * The child program that plays an exec-server over stdio. It forwards its standard input to the test's process, runs
 * the operations sent from there in order, and kills itself when that connection closes. It is a string, so that it also
 * runs when this file is bundled. Messages in both directions are a kind (1 byte), a length (4 bytes) and the payload.
 */
export const RELAY = /* js */ `
const { connect } = require("node:net");
const { closeSync } = require("node:fs");
const { stdin, stdout, stderr } = process;
const control = connect({ port: Number(process.argv[1]), host: "127.0.0.1", noDelay: true });
const report = (kind, bytes) => {
  const head = Buffer.alloc(5, kind);
  head.writeUInt32BE(bytes.length, 1);
  return control.write(Buffer.concat([head, bytes]));
};
const flushed = (then) => stdout.write("", () => stderr.write("", then));
let isPaused = false;
const operations = {
  1: (bytes) => {
    if (stdout.write(bytes)) return;
    control.pause();
    stdout.once("drain", () => control.resume());
  },
  2: (bytes) => stderr.write(bytes),
  3: ([code]) => flushed(() => process.exit(code)),
  4: (signal) => flushed(() => process.kill(process.pid, String(signal))),
  5: () => { isPaused = true; stdin.pause(); },
  6: () => { isPaused = false; stdin.resume(); },
  7: () => stdin.once("close", () => closeSync(0)).destroy(),
  8: () => flushed(() => closeSync(1)),
};
let rest = Buffer.alloc(0);
control.on("data", (bytes) => {
  rest = Buffer.concat([rest, bytes]);
  while (rest.length >= 5) {
    const end = 5 + rest.readUInt32BE(1);
    if (rest.length < end) return;
    operations[rest[0]](rest.subarray(5, end));
    rest = rest.subarray(end);
  }
});
stdin.on("data", (bytes) => { if (!report(1, bytes)) stdin.pause(); });
stdin.on("end", () => report(2, Buffer.alloc(0)));
control.on("drain", () => { if (!isPaused) stdin.resume(); });
control.on("close", () => process.kill(process.pid, "SIGKILL"));
for (const stream of [stdin, stdout, stderr, control]) stream.on("error", () => {});
`;

const OPERATIONS = {
  print: 1,
  log: 2,
  exit: 3,
  kill: 4,
  pause: 5,
  resume: 6,
  closeInput: 7,
  closeOutput: 8,
} as const;

/** An operation that the child program runs. */
export type Operation = keyof typeof OPERATIONS;

export function operationBytes(operation: Operation, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(5, OPERATIONS[operation]);
  head.writeUInt32BE(payload.length, 1);
  return Buffer.concat([head, payload]);
}

/** Decodes the messages of the child program. Yields the bytes of its standard input, and undefined for the end. */
export class InputReader {
  #rest = Buffer.alloc(0);

  *push(bytes: Uint8Array): Generator<Uint8Array | undefined> {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length >= 5) {
      const end = 5 + this.#rest.readUInt32BE(1);
      if (this.#rest.length < end) return;
      yield this.#rest[0] === 1 ? this.#rest.subarray(5, end) : undefined;
      this.#rest = this.#rest.subarray(end);
    }
  }
}
