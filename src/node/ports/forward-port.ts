import { once } from "node:events";
import { type AddressInfo, createServer, isIPv6, type Server, type Socket } from "node:net";
import { ClosedError } from "../../errors/connection.ts";
import { linkedController } from "../../internal/abort.ts";
import { asyncDispose } from "../../internal/dispose.ts";
import { guarded } from "../../internal/guarded.ts";
import { checkForward, type ForwardOptions, type PortClient } from "./options.ts";
import { relay } from "./relayed.ts";

/** A local port that leads to one of the server's machine. Like any listening server, it keeps a Node process alive. */
export interface PortForward extends AsyncDisposable {
  /** The local port. */
  readonly port: number;
  /** The local address as an `http:` URL. */
  readonly url: string;
  /** Stops listening, and ends every connection: both sides see a reset. */
  close(): Promise<void>;
}

/**
 * Makes a port of the server's machine reachable at a local port, as `ssh -L` does. Each local connection is one
 * `connectTcp`, so a lazy client connects with the first one, and again after a loss: the port stays.
 *
 * @throws UsageError `ERR_INVALID_ARGUMENT` for an invalid argument or option.
 * @throws an error of the system, such as EADDRINUSE, if the local port can't be had.
 * @example
 * import { forwardPort } from "exec-server-sdk/node";
 *
 * await using database = await forwardPort(client, { remotePort: 5432, onError: (error) => console.warn(error) });
 * console.log(`postgres://localhost:${database.port}/app`);
 */
export async function forwardPort(client: PortClient, options: ForwardOptions): Promise<PortForward> {
  checkForward(client, options);
  const { port = 0, host = "127.0.0.1" } = options;
  // Aborts the connections when the forward is closed.
  const stop = new AbortController();
  const open = new Set<Promise<void>>();
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (local) => {
    const connection = connectLocal(client, options, local, stop.signal);
    open.add(connection);
    void connection.then(() => open.delete(connection));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, host, resolve);
  });
  // A later error concerns one connection that could not be accepted.
  server.on("error", (error) => void report(options, error));
  const { address, port: localPort } = server.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= end(server, stop, open);
    return closing;
  };
  const url = `http://${isIPv6(address) ? `[${address}]` : address}:${localPort}`;
  return { port: localPort, url, close, [asyncDispose]: close };
}

async function end(server: Server, stop: AbortController, open: ReadonlySet<Promise<void>>): Promise<void> {
  const closed = once(server.close(), "close");
  stop.abort(new ClosedError());
  await Promise.all([closed, ...open]);
}

/** Serves one local connection until its end. Never rejects. */
async function connectLocal(
  client: PortClient,
  options: ForwardOptions,
  local: Socket,
  stop: AbortSignal,
): Promise<void> {
  const { controller, unlink } = linkedController(stop);
  const { signal } = controller;
  // A connection that is closed before its end is reset there, too.
  local.on("error", (error) => controller.abort(error));
  local.once("close", () => controller.abort(new Error("the local connection was closed")));
  try {
    const { remotePort: port, remoteHost: host } = options;
    await relay(local, await client.connectTcp({ port, host, signal }));
    await ended(local);
  } catch (error) {
    // Either side has ended it.
    if (!signal.aborted) report(options, error);
    local.resetAndDestroy();
  } finally {
    unlink();
  }
}

/** Resolves when everything was sent to the local side. */
async function ended(local: Socket): Promise<void> {
  if (!local.closed) await once(local, "close");
}

function report({ onError }: ForwardOptions, error: unknown): void {
  if (onError) guarded(onError, error);
}
