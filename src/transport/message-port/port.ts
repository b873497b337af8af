import { invalid, received } from "../../internal/arguments.ts";
import { checkOptions, milliseconds, type Rules } from "../../internal/option-rules.ts";

/**
 * One side of a message channel: a DOM `MessagePort`, the one of `node:worker_threads`, or Electron's
 * `MessagePortMain`. The SDK needs a port to itself, and closes it at the end.
 */
export type PortLike = EventTargetPort | EmitterPort;

/** What a port passes to its listeners. */
export interface PortEvent {
  /** The message. */
  readonly data?: unknown;
}

interface Port {
  /** Sends a message to the other side. */
  postMessage(message: unknown): void;
  /** Starts delivery, where a listener alone does not. */
  start?(): void;
  /** Closes the channel. */
  close(): void;
  /** On Node: the port keeps the process alive. */
  ref?(): void;
  /** On Node: the port does not keep the process alive. */
  unref?(): void;
}

/** A port with the API of browsers: a DOM `MessagePort`, or that of `node:worker_threads`. */
export interface EventTargetPort extends Port {
  /** Listens for `message`, `messageerror` and `close`. */
  addEventListener(type: string, listener: (event: PortEvent) => void): void;
  /** Removes a listener. */
  removeEventListener(type: string, listener: (event: PortEvent) => void): void;
}

/** A port with the API of Electron's main process: `MessagePortMain`. */
export interface EmitterPort extends Port {
  /** Listens for `message`, `messageerror` and `close`. */
  on(type: string, listener: (event: PortEvent) => void): unknown;
  /** Removes a listener. */
  off(type: string, listener: (event: PortEvent) => void): unknown;
}

/** Options of both sides of a message port. */
export interface PortOptions {
  /**
   * Milliseconds of silence after which the other side counts as gone. It is pinged once a fifth of them has passed. Silence
   * does not count while this side's page is hidden or its program is not running. A page that is suspended for longer, for
   * example by a debugger, counts as gone, too. `Infinity` disables the pings and the check. Anything but a positive number
   * is a UsageError `ERR_INVALID_ARGUMENT`.
   * @default 30_000
   */
  readonly livenessMs?: number | undefined;
}

const RULES: Rules<PortOptions> = { livenessMs: milliseconds };

/** @throws UsageError `ERR_INVALID_ARGUMENT` for an invalid option. */
export function livenessOf(caller: string, options: PortOptions): number {
  checkOptions(caller, options, RULES);
  return options.livenessMs ?? 30_000;
}

/** @throws UsageError `ERR_INVALID_ARGUMENT` for a value that is no port. */
export function checkedPort(caller: string, port: PortLike): PortLike {
  const { postMessage, close, addEventListener, on } = (port ?? {}) as Partial<EventTargetPort & EmitterPort>;
  const isPort = [postMessage, close, addEventListener ?? on].every((method) => typeof method === "function");
  if (isPort) return port;
  return invalid(
    `${caller}: port must be a message port with postMessage() and close(), got ${received(port)}`,
  );
}

/** Adds listeners, by the names of their events, and starts delivery. Returns a function that removes the listeners. */
export function listen(
  port: PortLike,
  listeners: Readonly<Record<string, (event: PortEvent) => void>>,
): () => void {
  const entries = Object.entries(listeners);
  // Preferred where both exist: `on` of Node's port passes the bare value instead of an event.
  if ("addEventListener" in port) for (const entry of entries) port.addEventListener(...entry);
  else for (const entry of entries) port.on(...entry);
  port.start?.();
  return () => {
    if ("addEventListener" in port) for (const entry of entries) port.removeEventListener(...entry);
    else for (const entry of entries) port.off(...entry);
  };
}
