/**
 * Measures connections to a port of the server's machine: directly, through `connectTcp`, through `forwardPort` and, where
 * Debian's openssh-server is installed, through `ssh -L`. All pass the same kind of relay, in one run and in turns.
 * Timings never fail the run.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import { LazyExecServerClient } from "../../dist/index.js";
import { forwardPort, webSocket } from "../../dist/node.js";
import { DelayingRelay } from "../support/delaying-relay.ts";
import { ExecServer } from "../support/exec-server.ts";
import { median } from "./measure.ts";
import { startSshServer } from "./ssh-forward.ts";

const DISTANCES = [0, 100];
const BULK = 64 * 1024 * 1024;
const BULK_TURNS = 5;
const ECHOES = 21;

/** A way to the two servers of the other machine. */
interface Way {
  readonly name: string;
  open(server: "bulk" | "echo"): Promise<Duplex>;
}

/** Sends everything to who asks for it, or counts what it gets up to its end. */
const bulk = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  socket.on("error", () => {});
  socket.once("data", (first) => {
    if (first[0] === 0x67) socket.end(Buffer.alloc(BULK));
    else socket.resume().on("end", () => socket.end("done"));
  });
});
const echo = new WebSocketServer({ port: 0, host: "127.0.0.1" });
echo.on("connection", (socket) => {
  // Also acknowledged at once, as most servers do.
  (socket as unknown as { _socket: Socket })._socket.setNoDelay();
  socket.on("message", (data) => socket.send(data));
});
bulk.listen(0, "127.0.0.1");
await Promise.all([once(bulk, "listening"), once(echo, "listening")]);
const ports = { bulk: portOf(bulk), echo: portOf(echo) };

function portOf(server: { address(): unknown }): number {
  return (server.address() as AddressInfo).port;
}

async function connected(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
  await once(socket, "connect");
  return socket;
}

/** Node 20 has no AsyncDisposableStack. */
class Stack {
  readonly #all: (() => unknown)[] = [];
  use<T extends AsyncDisposable>(resource: T): T {
    this.#all.push(() => resource[Symbol.asyncDispose]());
    return resource;
  }
  defer(dispose: () => void): void {
    this.#all.push(dispose);
  }
  async disposeAsync(): Promise<void> {
    for (const dispose of this.#all.reverse()) await dispose();
  }
}

async function ways(roundTrip: number) {
  const stack = new Stack();
  const far = async (port: number): Promise<number> => {
    const relay = stack.use(await DelayingRelay.start(`ws://127.0.0.1:${port}`, roundTrip));
    return Number(new URL(relay.url).port);
  };
  const server = stack.use(await ExecServer.start({ args: ["--concurrent-requests", "8"] }));
  const url = `ws://127.0.0.1:${await far(Number(new URL(server.url).port))}`;
  const client = stack.use(new LazyExecServerClient({ transport: webSocket(url) }));
  const direct = { bulk: await far(ports.bulk), echo: await far(ports.echo) };
  const forwards = {
    bulk: stack.use(await forwardPort(client, { remotePort: ports.bulk })),
    echo: stack.use(await forwardPort(client, { remotePort: ports.echo })),
  };
  const all: Way[] = [
    { name: "direct TCP", open: (to) => connected(direct[to]) },
    {
      name: "connectTcp",
      open: async (to) => {
        const { readable, writable } = await client.connectTcp({ port: ports[to] });
        return Duplex.fromWeb({ readable, writable } as never);
      },
    },
    { name: "forwardPort", open: (to) => connected(forwards[to].port) },
  ];
  const ssh = await startSshServer();
  if (ssh) {
    stack.defer(() => ssh.close());
    const way = await far(ssh.port);
    const through = { bulk: await ssh.forward(way, ports.bulk), echo: await ssh.forward(way, ports.echo) };
    stack.defer(() => {
      through.bulk.close();
      through.echo.close();
    });
    all.push({ name: "ssh -L", open: (to) => connected(through[to].port) });
  }
  return { all, stack };
}

/** Milliseconds of one echo, of a WebSocket that is open. */
async function echoes({ open }: Way): Promise<number> {
  const stream = await open("echo");
  const socket = new WebSocket("ws://127.0.0.1", { createConnection: () => stream as never });
  await once(socket, "open");
  const samples: number[] = [];
  for (let turn = 0; turn < ECHOES + 3; turn++) {
    const start = performance.now();
    socket.send("x");
    await once(socket, "message");
    if (turn >= 3) samples.push(performance.now() - start);
  }
  socket.terminate();
  return median(samples);
}

/** Milliseconds until a connection is established. */
async function opens({ open }: Way): Promise<number> {
  const start = performance.now();
  const stream = await open("bulk");
  const ms = performance.now() - start;
  stream.on("error", () => {}).destroy();
  return ms;
}

/** MB/s of a download. */
async function downloads({ open }: Way): Promise<number> {
  const stream = await open("bulk");
  const start = performance.now();
  stream.write("g");
  let length = 0;
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    length += (chunk as Buffer).length;
    if (length === BULK) break;
  }
  const seconds = (performance.now() - start) / 1000;
  stream.on("error", () => {}).destroy();
  return BULK / 1e6 / seconds;
}

/** MB/s of an upload, until the other side has said that it has everything. */
async function uploads({ open }: Way): Promise<number> {
  const stream = await open("bulk");
  const start = performance.now();
  stream.end(Buffer.alloc(BULK));
  await once(stream.resume(), "end");
  return BULK / 1e6 / ((performance.now() - start) / 1000);
}

const MEASURES = [
  { name: "until it is open, ms", measure: opens, turns: 7 },
  { name: "WebSocket echo, ms", measure: echoes, turns: 3 },
  { name: "download, MB/s", measure: downloads, turns: BULK_TURNS },
  { name: "upload, MB/s", measure: uploads, turns: BULK_TURNS },
];

const goals: string[] = [];
for (const roundTrip of DISTANCES) {
  const { all, stack } = await ways(roundTrip);
  console.log(`\n| ${roundTrip} ms away | ${all.map(({ name }) => name).join(" | ")} |`);
  console.log(`| :-- |${all.map(() => " --: |").join("")}`);
  for (const { name, measure, turns } of MEASURES) {
    const samples = all.map((): number[] => []);
    for (let turn = -1; turn < turns; turn++) {
      for (const [at, way] of all.entries()) {
        const value = await measure(way);
        // The first turn connects the client and finds a program for the connections.
        if (turn >= 0) samples[at]?.push(value);
      }
    }
    const values = samples.map((of) => median(of));
    console.log(`| ${name} | ${values.map((value) => value.toFixed(value < 10 ? 2 : 0)).join(" | ")} |`);
    judge(name, roundTrip, values);
  }
  await stack.disposeAsync();
}
for (const line of goals) console.log(`goal: ${line}`);
bulk.close();
echo.close();

function judge(name: string, roundTrip: number, values: readonly number[]): void {
  const [direct = 0, tcp = 0, forward = 0, ssh] = values;
  for (const [way, value] of Object.entries({ connectTcp: tcp, forwardPort: forward })) {
    if (name.startsWith("WebSocket")) {
      // The direct one takes a round trip of the relay.
      const more = value - direct;
      goals.push(
        `${way}, echo ${roundTrip} ms away: ≤ 2 ms more than direct TCP: ${more.toFixed(2)} ms ${more <= 2 ? "met" : "MISSED"}`,
      );
    }
    if (name.endsWith("MB/s") && ssh) {
      const ratio = value / ssh;
      goals.push(
        `${way}, ${name.split(",")[0]} ${roundTrip} ms away: ≥ 0.5 of ssh -L: ${ratio.toFixed(2)} ${ratio >= 0.5 ? "met" : "MISSED"}`,
      );
    }
  }
}
