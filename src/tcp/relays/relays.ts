import { BASH } from "./bash.ts";
import { NODE } from "./node.ts";
import { PERL } from "./perl.ts";
import { PYTHON } from "./python.ts";

/** Bytes that a framed relay may send before its reader has taken any. */
export const CREDIT = 8 * 1024 * 1024;

/** A program that connects its standard input and output to a TCP connection. */
export interface Relay {
  readonly name: string;
  /**
   * Whether it reads frames and reports what it has passed on, as the one in Perl does. One that does not reads the bytes
   * themselves, and is stopped while its output is not read.
   */
  readonly isFramed: boolean;
  /** Whether the end of one direction is passed on while the other one goes on. */
  readonly canEnd: boolean;
  /** Whether it reports that the end was passed on. */
  readonly reportsEnd: boolean;
  command(host: string, port: number): string[];
}

const framed = (name: string, option: string, program: string): Relay => ({
  name,
  isFramed: true,
  canEnd: true,
  reportsEnd: true,
  command: (host, port) => [name, option, program, host, String(port), String(CREDIT)],
});

/** Those that keep every promise first. `nc` is the last: it reports neither a reset nor the end of the other side. */
const RELAYS: readonly Relay[] = [
  framed("perl", "-e", PERL),
  framed("python3", "-c", PYTHON),
  framed("node", "-e", NODE),
  {
    name: "socat",
    isFramed: false,
    canEnd: true,
    reportsEnd: true,
    // It reports each transfer, so that the end differs from a pause. Else it would end 0.5 s after one direction.
    command: (host, port) => {
      const name = host.includes(":") ? `[${host}]` : host;
      return ["socat", "-ddd", "-b65536", "-t9999999", "-", `TCP:${name}:${port},nodelay`];
    },
  },
  {
    name: "bash",
    isFramed: false,
    canEnd: false,
    reportsEnd: false,
    command: (host, port) => ["bash", "-c", BASH, "bash", host, String(port)],
  },
  {
    name: "nc",
    isFramed: false,
    canEnd: true,
    reportsEnd: false,
    command: (host, port) => ["nc", "-v", "-N", host, String(port)],
  },
];

/** Prints the name of the first relay that runs here. Of the programs called `nc`, only OpenBSD's has -N. */
export const FIND_RELAY = `try() { "$@" </dev/null >/dev/null 2>&1 && echo "$1" && exit; }
try perl -MSocket=getaddrinfo -e 1
try python3 -c 'import socket'
try node -e 'util.getSystemErrorMap()'
try socat -V
try bash -c :
nc -h 2>&1 | grep -q '^usage.*N' && echo nc`;

export function relayNamed(name: string): Relay | undefined {
  return RELAYS.find((relay) => relay.name === name);
}

/** What is needed for a connection, for an error message. */
export const REQUIREMENT = "perl, python3, node, socat, bash or OpenBSD's nc";
