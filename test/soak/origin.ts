import type { ServerResponse } from "node:http";
import { Origin } from "../support/origin.ts";
import { lines } from "./load/task.ts";

const PIECES = 4;

/** What the load asks for: numbered lines in pieces, an echo, and what takes its time. */
export async function startLoadOrigin(): Promise<Origin> {
  const origin = await Origin.start();
  origin.answer = (response, { url, body }) => {
    // A soak is too long to remember everything.
    origin.requests.length = 0;
    const [, kind, name = "", first = "", second = ""] = url.split("/");
    response.setHeader("x-name", name);
    // Or whoever asks on a connection that is just being closed for its age is told of an error.
    response.setHeader("connection", "close");
    if (kind === "lines") void inPieces(response, lines(name, Number(first)), Number(second));
    else if (kind === "slow") setTimeout(() => response.end(name), Number(first));
    else response.end(body);
  };
  return origin;
}

async function inPieces(response: ServerResponse, text: string, pauseMs: number): Promise<void> {
  const length = Math.ceil(text.length / PIECES);
  for (let at = 0; at < text.length && !response.destroyed; at += length) {
    response.write(text.slice(at, at + length));
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  response.end();
}
