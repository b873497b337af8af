/** The measured page. Its clients are in the page, or in the page with their WebSocket in a worker. */
import { LazyExecServerClient, messagePort, webSocket } from "exec-server-sdk";
import { type Channel, PageClient } from "./by-hand.ts";
import { type CaseName, handWrittenWork, type Materials, sdkWork, type Work } from "./work.ts";

/** What the page saw of one round. Milliseconds. */
export interface PageFigures {
  readonly wall: number;
  readonly dropped: number;
  /** The duration of the longest task above 50 ms; 0 if there was none. */
  readonly longestTask: number;
}

const FRAME_MS = 1000 / 60;
const works = new Map<string, Work>();

function workerPort(materials: Materials, kind: "bridge" | "relay"): MessagePort {
  const { port1, port2 } = new MessageChannel();
  new Worker("/worker.js", { type: "module" }).postMessage({ kind, materials }, [port2]);
  return port1;
}

function socketChannel({ url, protocols }: Materials): Promise<Channel> {
  const socket = new WebSocket(url, [...protocols]);
  const channel: Channel = { send: (text) => socket.send(text), onText() {} };
  socket.onmessage = ({ data }) => channel.onText(data);
  return new Promise((resolve, reject) => {
    socket.onopen = () => resolve(channel);
    socket.onerror = () => reject(new Error("the socket could not be opened"));
  });
}

function portChannel(port: MessagePort): Channel {
  const channel: Channel = { send: (text) => port.postMessage(text), onText() {} };
  port.onmessage = ({ data }) => channel.onText(data);
  return channel;
}

async function connect(materials: Materials): Promise<void> {
  const { url, protocols } = materials;
  const overSocket = new LazyExecServerClient({ transport: webSocket(url, { protocols }) });
  const overPort = new LazyExecServerClient({
    transport: messagePort(() => workerPort(materials, "bridge")),
  });
  works.set("SDK", sdkWork(overSocket, materials));
  works.set("SDK, port", sdkWork(overPort, materials));
  const byHand = await PageClient.connect(await socketChannel(materials));
  works.set("hand-written", handWrittenWork(byHand, materials));
  const byHandOverPort = await PageClient.connect(portChannel(workerPort(materials, "relay")));
  works.set("hand-written, port", handWrittenWork(byHandOverPort, materials));
}

/** Observes frames and tasks while the work is done. */
async function observed(work: () => Promise<void>): Promise<PageFigures> {
  let longestTask = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longestTask = Math.max(longestTask, duration);
  });
  observer.observe({ entryTypes: ["longtask"] });
  let dropped = 0;
  let last = await nextFrame();
  let isOver = false;
  const watch = async (): Promise<void> => {
    while (!isOver) {
      const frame = await nextFrame();
      dropped += Math.max(0, Math.round((frame - last) / FRAME_MS) - 1);
      last = frame;
    }
  };
  const watching = watch();
  const started = performance.now();
  await work();
  const wall = performance.now() - started;
  isOver = true;
  await watching;
  // Entries are delivered in a task of their own.
  await new Promise((resolve) => setTimeout(resolve, 0));
  observer.disconnect();
  return { wall, dropped, longestTask };
}

function nextFrame(): Promise<number> {
  return new Promise((resolve) => requestAnimationFrame(resolve));
}

const bench = {
  connect,
  round(client: string, name: CaseName): Promise<PageFigures> {
    const work = works.get(client);
    if (!work) throw new Error(`there is no client ${client}`);
    return observed(work[name]);
  },
  idle: (ms: number): Promise<PageFigures> =>
    observed(() => new Promise((resolve) => setTimeout(resolve, ms))),
};
Object.assign(globalThis, { bench });
