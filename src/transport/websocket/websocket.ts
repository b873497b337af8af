import { WebSocket as DefaultWebSocket } from "isows";
import { UsageError } from "../../errors.ts";
import { untilAborted } from "../../internal/abort.ts";
import type { Connection, Transport } from "../transport.ts";
import { type ResolvedAddress, resolveAddress, shownUrl, type WebSocketTarget } from "./address.ts";
import { openWebSocket, type WebSocketLike, WS_OPTIONS } from "./connection.ts";

/** What every dial of a WebSocket sends along. */
export interface WebSocketOptions {
  /** Subprotocols to offer. What the runtime refuses is a UsageError `ERR_INVALID_ARGUMENT`. @default none */
  readonly protocols?: string | readonly string[] | undefined;
  /**
   * Headers of the upgrade request, for example `authorization`. A browser can't send any: there the attempt fails with
   * a UsageError `ERR_UNSUPPORTED`. @default none
   */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** A WebSocket constructor: the standard one, or one that takes a third argument like that of the `ws` package. */
export type WebSocketConstructor = new (url: string, protocols?: string[]) => WebSocketLike;

/**
 * Reaches an exec-server over a WebSocket; a connection that has ended is replaced by a new one on the next use.
 *
 * @param target Where to connect; a function is asked anew before every dial.
 * @param options `WebSocket` replaces the constructor, which by default is the runtime's own, or that of `ws` on Node 20.
 * @throws UsageError `ERR_INVALID_ARGUMENT` at once for a fixed target that is no `ws:` or `wss:` URL.
 */
export function webSocket(
  target: WebSocketTarget,
  options: WebSocketOptions & { readonly WebSocket?: WebSocketConstructor | undefined } = {},
): Transport {
  const Constructor = options.WebSocket ?? DefaultWebSocket;
  return webSocketTransport(target, options, (address) => construct(Constructor, address));
}

/** The transport for any way of making a socket; `exec-server-sdk/node` shares it. */
export function webSocketTransport(
  target: WebSocketTarget,
  options: WebSocketOptions,
  create: (address: ResolvedAddress) => WebSocketLike,
): Transport {
  const fixed = typeof target === "function" ? undefined : resolveAddress(target, options);
  return {
    reconnectable: true,
    async connect({ signal }): Promise<Connection> {
      signal.throwIfAborted();
      const address =
        fixed ??
        resolveAddress(
          await untilAborted(Promise.resolve((target as TargetFunction)({ signal })), signal),
          options,
        );
      // Aborted between the target's answer and this turn.
      signal.throwIfAborted();
      return await openWebSocket(attempt(create, address), shownUrl(address.url), signal);
    },
  };
}

type TargetFunction = Extract<WebSocketTarget, (...args: never) => unknown>;

function attempt(
  create: (address: ResolvedAddress) => WebSocketLike,
  address: ResolvedAddress,
): WebSocketLike {
  try {
    return create(address);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    // Without the cause: browsers quote the subprotocol, which may be a credential.
    const name = (error as { name?: unknown } | undefined)?.name;
    throw new UsageError(
      "ERR_INVALID_ARGUMENT",
      `The runtime refused to open a WebSocket to ${shownUrl(address.url)} (${String(name)}): is a subprotocol or header malformed?`,
    );
  }
}

function construct(
  Constructor: WebSocketConstructor,
  { url, protocols, headers }: ResolvedAddress,
): WebSocketLike {
  const WithOptions = Constructor as new (url: string, ...rest: unknown[]) => WebSocketLike;
  const isNative = (Constructor as unknown) === (globalThis as { WebSocket?: unknown }).WebSocket;
  if (!isNative) return new WithOptions(url.href, protocols, { ...WS_OPTIONS, headers });
  if (Object.keys(headers).length === 0) return new Constructor(url.href, protocols);
  try {
    // The form of the server-side runtimes. A browser takes the object for a subprotocol with an impossible name.
    return new WithOptions(url.href, { protocols, headers });
  } catch (error) {
    if ((error as { name?: unknown } | undefined)?.name !== "SyntaxError") throw error;
    throw new UsageError(
      "ERR_UNSUPPORTED",
      "This runtime's WebSocket can't send headers: put the credential into a subprotocol or the URL",
    );
  }
}
