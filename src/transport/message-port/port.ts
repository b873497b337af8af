import { UsageError } from "../../errors.ts";

/**
 * One side of a message channel: a DOM `MessagePort`, the one of `node:worker_threads`, or Electron's
 * `MessagePortMain`. It has to be there for this purpose alone, and is closed at the end.
 */
export type PortLike = EventTargetPort | EmitterPort;

/** @inline */
interface PortEvent {
  readonly data?: unknown;
}

interface Port {
  /** Sends a message to the other side. */
  postMessage(message: unknown): void;
  /** Starts delivery, where that does not start by itself. */
  start?(): void;
  /** Ends the channel. */
  close(): void;
  /** Node's: it keeps the process alive. */
  ref?(): void;
  /** Node's: it does not. */
  unref?(): void;
}

/** A port as browsers have it: a DOM `MessagePort`, or that of `node:worker_threads`. */
export interface EventTargetPort extends Port {
  /** Listens for `message`, `messageerror` and `close`. */
  addEventListener(type: string, listener: (event: PortEvent) => void): void;
  /** Takes a listener away. */
  removeEventListener(type: string, listener: (event: PortEvent) => void): void;
}

/** A port as Electron's main process has it: `MessagePortMain`. */
export interface EmitterPort extends Port {
  /** Listens for `message`, `messageerror` and `close`. */
  on(type: string, listener: (event: PortEvent) => void): unknown;
  /** Takes a listener away. */
  off(type: string, listener: (event: PortEvent) => void): unknown;
}

/** Options of both sides of a message port. */
export interface PortOptions {
  /**
   * Milliseconds of silence after which the other side counts as gone; it is asked every fifth of them whether it is
   * there. Silence does not count while this side's page is hidden or its program is not running. A page that stands still
   * for longer, be it in a debugger, is gone, too. `Infinity`: it is never asked.
   * What is no positive number is a UsageError `ERR_INVALID_ARGUMENT`.
   * @default 30_000
   */
  readonly livenessMs?: number | undefined;
}

/** @throws UsageError `ERR_INVALID_ARGUMENT` for a time that is no positive number. */
export function livenessOf(options: PortOptions): number {
  const { livenessMs = 30_000 } = options;
  if (typeof livenessMs === "number" && livenessMs > 0) return livenessMs;
  throw new UsageError("ERR_INVALID_ARGUMENT", "livenessMs must be a positive number of milliseconds");
}

/** @throws UsageError `ERR_INVALID_ARGUMENT` for what is no port. */
export function checkedPort(port: PortLike): PortLike {
  const { postMessage, close, addEventListener, on } = (port ?? {}) as Partial<EventTargetPort & EmitterPort>;
  const isPort = [postMessage, close, addEventListener ?? on].every((method) => typeof method === "function");
  if (isPort) return port;
  throw new UsageError("ERR_INVALID_ARGUMENT", "A message port has postMessage() and close()");
}

/** Has the port deliver to these listeners, by the names of their events. Returns what ends that. */
export function listen(
  port: PortLike,
  listeners: Readonly<Record<string, (event: PortEvent) => void>>,
): () => void {
  const entries = Object.entries(listeners);
  // Asked first: Node's port has `on` as well, which hands over the bare value.
  if ("addEventListener" in port) for (const entry of entries) port.addEventListener(...entry);
  else for (const entry of entries) port.on(...entry);
  port.start?.();
  return () => {
    if ("addEventListener" in port) for (const entry of entries) port.removeEventListener(...entry);
    else for (const entry of entries) port.off(...entry);
  };
}
