import type { Socket } from "node:net";
import { textOf } from "../../internal/bytes.ts";
import { LineDecoder } from "../../transport/line-decoder.ts";
import { ByteLimit } from "../byte-limit.ts";
import type { ChannelReceiver, ServerChannel } from "../channel.ts";
import { InputReader, type Operation, operationBytes } from "./relay.ts";

/** Bytes per print operation. The child concatenates chunks until an operation is complete, which is slow for long ones. */
const MAX_PRINT_BYTES = 64 * 1024;
const LINE_FEED = /* @__PURE__ */ Uint8Array.of(0x0a);

/** The child process that plays the server over stdio. */
export interface TestChild {
  /** Writes to standard error; no line end is added. */
  stderr(text: string): void;
  /** Sends everything queued, then exits. */
  exit(code: number): void;
  /**
   * Sends everything queued, then kills the child with a signal.
   *
   * @param signal @default "SIGKILL"
   */
  kill(signal?: string): void;
  /** Closes standard output; the child keeps running. */
  closeOutput(): void;
  /** Closes standard input, so that writes of the client fail; the child keeps running. */
  closeInput(): void;
  /** Resolves when the child has exited. */
  readonly gone: Promise<void>;
}

/** The server's end of a child's standard input and output. */
export class StdioChannel implements ServerChannel, TestChild {
  readonly gone: Promise<void>;
  readonly #control: Socket;
  readonly #limit = new ByteLimit();
  #isEnded = false;

  constructor(control: Socket) {
    this.#control = control;
    this.gone = new Promise((resolve) => control.once("close", () => resolve()));
  }

  start(receiver: ChannelReceiver): void {
    const input = new InputReader();
    const lines = new LineDecoder(Number.POSITIVE_INFINITY);
    this.#control.on("data", (message) => {
      for (const bytes of input.push(message)) {
        if (bytes) for (const line of lines.push(bytes)) receiver.onFrame(textOf(line));
        else {
          receiver.onEnd({});
          this.exit(0);
        }
      }
    });
    this.#control.on("close", () => receiver.onEnd({}));
  }

  send(frame: string | Uint8Array): void {
    this.sendBytes(Buffer.concat([Buffer.from(frame), LINE_FEED]));
  }

  sendBytes(bytes: Uint8Array): void {
    if (this.#isEnded) return;
    const passed = bytes.subarray(0, this.#limit.take(bytes.length));
    for (let at = 0; at < passed.length; at += MAX_PRINT_BYTES) {
      this.#do("print", passed.subarray(at, at + MAX_PRINT_BYTES));
    }
    if (this.#limit.isReached) this.drop();
  }

  close(): void {
    this.exit(0);
  }

  drop(): void {
    this.kill();
  }

  reset(): void {
    this.#isEnded = true;
    // The child kills itself when its control connection closes.
    this.#control.resetAndDestroy();
  }

  dropAfterBytes(bytes: number): void {
    this.#limit.set(bytes);
    if (this.#limit.isReached) this.drop();
  }

  failThenClose(): void {
    this.closeInput();
    this.exit(1);
  }

  closeThenFail(): void {
    this.closeOutput();
    this.exit(1);
  }

  pause(): void {
    this.#do("pause");
  }

  resume(): void {
    this.#do("resume");
  }

  stderr(text: string): void {
    this.#do("log", Buffer.from(text));
  }

  exit(code: number): void {
    this.#do("exit", Uint8Array.of(code));
    this.#isEnded = true;
  }

  kill(signal = "SIGKILL"): void {
    this.#do("kill", Buffer.from(signal));
    this.#isEnded = true;
  }

  closeOutput(): void {
    this.#do("closeOutput");
  }

  closeInput(): void {
    this.#do("closeInput");
  }

  #do(operation: Operation, payload: Uint8Array = new Uint8Array()): void {
    if (this.#control.writable) this.#control.write(operationBytes(operation, payload));
  }
}
