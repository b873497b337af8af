import { lstat, rm } from "node:fs/promises";
import { connect, isIP } from "node:net";
import type { ListenTarget } from "../http-server.ts";
import { CommandLineError } from "./read-settings.ts";

/** Reads `HOST:PORT` or `unix:PATH`. */
export function addressIn(option: string, text: string): ListenTarget {
  const socketPath = /^unix:(.+)$/.exec(text)?.[1];
  if (socketPath !== undefined) return { socketPath };
  const [, host = "", digits] = /^(\[[^\]]+\]|[^:]+):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (!(port <= 65_535)) {
    const got = JSON.stringify(text);
    throw new CommandLineError(
      `${option} must be HOST:PORT such as 127.0.0.1:8787, or unix:PATH, got ${got}`,
    );
  }
  return { host: host.replace(/^\[|\]$/g, ""), port };
}

/** Whether other machines can reach the address. */
export function isPublic(target: ListenTarget): boolean {
  if ("socketPath" in target) return false;
  const { host } = target;
  return !(host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127.")));
}

/** Whether it stands for all addresses of the machine. */
export function isWildcard(target: ListenTarget): boolean {
  return "host" in target && ["0.0.0.0", "::"].includes(target.host);
}

/** The error of a failed listen, with the option that gives another address if that one is taken. */
export function listenError(option: string, error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === "EADDRINUSE" ? new Error(`${option} must be a free address: ${message}`) : error;
}

/** Removes the Unix socket that a killed process has left behind. One that is listened on stays, and so does any other file. */
export async function removeStaleSocket(target: ListenTarget): Promise<void> {
  if (!("socketPath" in target)) return;
  const { socketPath } = target;
  // The system refuses a connection to any other file as well.
  const isSocket = await lstat(socketPath).then(
    (file) => file.isSocket(),
    () => false,
  );
  if (!isSocket) return;
  const isStale = await new Promise<boolean>((resolve) => {
    const probe = connect(socketPath, () => {
      probe.destroy();
      resolve(false);
    });
    probe.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code === "ECONNREFUSED"));
  });
  if (isStale) await rm(socketPath, { force: true });
}
