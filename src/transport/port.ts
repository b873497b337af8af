import { UsageError } from "../errors.ts";

/**
 * One side of a message channel: a DOM `MessagePort`, the one of `node:worker_threads`, or Electron's
 * `MessagePortMain`. It has to be there for this purpose alone, and is closed at the end.
 */
export type PortLike = EventTargetPort | EmitterPort;

interface PortEvent {
  readonly data?: unknown;
}

interface Port {
  postMessage(message: unknown): void;
  start?(): void;
  close(): void;
  /** Node's: whether it keeps the process alive. */
  ref?(): void;
  unref?(): void;
}

export interface EventTargetPort extends Port {
  addEventListener(type: string, listener: (event: PortEvent) => void): void;
  removeEventListener(type: string, listener: (event: PortEvent) => void): void;
}

export interface EmitterPort extends Port {
  on(type: string, listener: (event: PortEvent) => void): unknown;
  off(type: string, listener: (event: PortEvent) => void): unknown;
}

export interface PortOptions {
  /**
   * Milliseconds of silence after which the other side counts as gone; it is asked every fifth of them whether it is
   * there. Silence does not count while this side's page is hidden or its program is not running. A page that stands still
   * for longer, be it in a debugger, is gone, too. `Infinity`: it is never asked.
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
