import { type Bytes, concatBytes, textOf, utf8 } from "../internal/bytes.ts";
import { guarded } from "../internal/guarded.ts";
import { aFunction, checkArgument } from "../internal/option-rules.ts";
import { platformClass } from "../internal/platform.ts";
import { aPort } from "../tcp/options.ts";
import { PERL } from "../tcp/relays/perl.ts";
import { FIND_RELAY } from "../tcp/relays/relays.ts";
import { Registrations } from "./registrations.ts";
import type { TestProcess } from "./test-process.ts";

/** The other side of a TCP connection of the app. */
export interface TestSocket {
  /** What the app sends. Ends when the app ends its direction, errors if the app closes or aborts the connection before. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What the app receives. An abort resets the connection. */
  readonly writable: WritableStream<Uint8Array>;
}

/** Plays the server that listens on a port. Its return value is ignored. */
export type ConnectHandler = (socket: TestSocket) => unknown;

interface Listener {
  readonly port: number;
  readonly handler: ConnectHandler;
}

/** The ports of a test server's machine, behind the relay that the client finds there. */
export class Ports {
  readonly #listeners = new Registrations<Listener>();

  add(port: number, handler: ConnectHandler): () => void {
    checkArgument("onConnect(): port", port, aPort);
    checkArgument("onConnect(): handler", handler, aFunction);
    return this.#listeners.add({ port, handler });
  }

  /** Plays the client's own commands for connections. Returns undefined for any other command. */
  scriptOf(argv: readonly string[]): ((process: TestProcess) => void) | undefined {
    if (argv[2]?.endsWith(`\n${FIND_RELAY}`)) {
      return (process) => {
        process.stdout("perl\n");
        process.exit();
      };
    }
    return argv[6] === PERL ? (process) => this.#connect(process, Number(argv[8])) : undefined;
  }

  #connect(process: TestProcess, port: number): void {
    const handler = this.#listeners.all.find((listener) => listener.port === port)?.handler;
    if (!handler) {
      process.stderr("!Connection refused\n");
      process.exit(1);
      return;
    }
    process.stderr("o\n");
    guarded(handler, relayedSocket(process));
  }
}

/** The other side of a relay, which speaks with frames, as the one in Perl does. */
function relayedSocket(process: TestProcess): TestSocket {
  let sent = 0;
  let ends = 0;
  const end = (): void => {
    if (++ends === 2) process.exit();
  };
  const readable = new (platformClass("ReadableStream"))<Uint8Array>({
    async start(controller) {
      try {
        for await (const data of framesOf(process.input)) {
          if (data.length > 0) controller.enqueue(data);
          process.stderr(".\n");
          if (data.length > 0) continue;
          controller.close();
          end();
          return;
        }
        controller.error(new Error("the app has ended the connection"));
      } catch (error) {
        controller.error(error);
      }
    },
  });
  const writable = new (platformClass("WritableStream"))<Uint8Array>({
    write(chunk) {
      sent += chunk.length;
      process.stdout(chunk);
    },
    close() {
      process.stderr(`${sent} bytes\n`);
      end();
    },
    abort() {
      process.stderr("!Connection reset by peer\n");
      process.exit(1);
    },
  });
  return { readable, writable };
}

/** The data of the frames in an input, in order. What allows more output is dropped: it is not held back here. */
async function* framesOf(input: AsyncIterable<Uint8Array>): AsyncGenerator<Bytes> {
  let rest = utf8("");
  for await (const chunk of input) {
    rest = concatBytes([rest, chunk]);
    for (let at = rest.indexOf(10); at >= 0; at = rest.indexOf(10)) {
      const [, length] = textOf(rest.subarray(0, at)).split(" ");
      const until = at + 1 + Number(length ?? 0);
      if (rest.length < until) break;
      if (length !== undefined) yield rest.slice(at + 1, until);
      rest = rest.slice(until);
    }
  }
}
