import type { ServerResponse } from "node:http";
import { Origin } from "../support/origin.ts";
import { lines } from "./load/task.ts";

const CHUNKS = 4;

/** The HTTP server for the load: numbered lines in several chunks, an echo, and delayed responses. */
export async function startLoadOrigin(): Promise<Origin> {
  const origin = await Origin.start();
  origin.answer = (response, { url, body }) => {
    // Keeps memory flat over a long soak.
    origin.requests.length = 0;
    const [, kind, name = "", first = "", second = ""] = url.split("/");
    response.setHeader("x-name", name);
    // A request on a keep-alive connection fails when the connection reaches its idle timeout at that moment.
    response.setHeader("connection", "close");
    if (kind === "lines") void inChunks(response, lines(name, Number(first)), Number(second));
    else if (kind === "slow") setTimeout(() => response.end(name), Number(first));
    else response.end(body);
  };
  return origin;
}

async function inChunks(response: ServerResponse, text: string, pauseMs: number): Promise<void> {
  const length = Math.ceil(text.length / CHUNKS);
  for (let at = 0; at < text.length && !response.destroyed; at += length) {
    response.write(text.slice(at, at + length));
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  response.end();
}
