import { execFileSync } from "node:child_process";
import type { ExecServerClient, RemoteSocket } from "../../src/index.ts";
import { utf8 } from "../../src/internal/bytes.ts";
import { TcpConnections } from "../../src/tcp/connections.ts";
import { FIND_RELAY } from "../../src/tcp/relays/relays.ts";

/** The programs that can make connections, in the order in which they are looked for. */
const PROGRAMS = ["perl", "python3", "node", "socat", "bash", "nc"];

/** What the search finds on a machine that has, of these programs, only the given ones. */
export function found(programs: readonly string[]): string {
  const missing = PROGRAMS.filter((name) => !programs.includes(name));
  const stubs = missing.map((name) => `${name}() { return 127; }`);
  const script = `${stubs.join("\n")}\n${FIND_RELAY}`;
  return execFileSync("/bin/sh", ["-c", `{ ${script}\n} || :`], { encoding: "utf8" }).trim();
}

export const INSTALLED: readonly string[] = PROGRAMS.filter((name) => found([name]) === name);

/** Makes a connection with the given program. */
export function connectWith(
  client: ExecServerClient,
  name: string,
  target: { port: number; host?: string; signal?: AbortSignal },
): Promise<RemoteSocket> {
  const { rpc, shell } = client.openSession();
  const connections = new TcpConnections(rpc, {
    run: async () => ({ stdout: utf8(name) }),
    start: (...command) => shell.start(...command),
  });
  return connections.connect(target);
}
