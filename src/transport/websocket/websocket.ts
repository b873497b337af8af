import { UsageError } from "../../errors/usage.ts";
import { untilAborted } from "../../internal/abort.ts";
import { invalid, unsupported } from "../../internal/arguments.ts";
import { aFunction, checkOptions, type Rules } from "../../internal/option-rules.ts";
import { type ConnectContext, type Connection, MAX_INCOMING_FRAME, type Transport } from "../transport.ts";
import {
  checkOffer,
  OFFER_RULES,
  type ResolvedAddress,
  resolveAddress,
  shownUrl,
  type WebSocketTarget,
} from "./address.ts";
import { type DialHint, openWebSocket } from "./dial.ts";
import type { WebSocketLike } from "./socket.ts";

/** Protocols and headers of every upgrade request. */
export interface WebSocketOptions {
  /** Subprotocols to offer. One that the runtime refuses is a UsageError `ERR_INVALID_ARGUMENT`. @default none */
  readonly protocols?: string | readonly string[] | undefined;
  /**
   * Headers of the upgrade request, for example `authorization`. A browser can't send any: there the attempt fails with
   * a UsageError `ERR_UNSUPPORTED`. @default none
   */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Options of the root entry's `webSocket()`. */
export interface RuntimeWebSocketOptions extends WebSocketOptions {
  /** The constructor to use. @default the runtime's own WebSocket, or that of `ws` on Node 20 */
  readonly WebSocket?: WebSocketConstructor | undefined;
}

/** The rules of the root entry. */
const ROOT_RULES: Rules<RuntimeWebSocketOptions> = {
  ...OFFER_RULES,
  WebSocket: aFunction,
};

/** What differs between the entries. By default: the root entry. */
interface Variant<Options> {
  readonly rules?: Rules<Options>;
  readonly hints?: Readonly<Record<string, string>>;
  readonly dialHint?: DialHint;
}

/** A WebSocket constructor: the standard one, or one that takes a third argument like that of the `ws` package. */
export type WebSocketConstructor = new (url: string, protocols?: string[]) => WebSocketLike;

/** Options for the constructor of `ws`. Other constructors ignore them. */
export const WS_OPTIONS = {
  perMessageDeflate: false,
  maxPayload: MAX_INCOMING_FRAME,
  // Milliseconds that a peer may keep its side of the TCP connection open after the close frames.
  closeTimeout: 1_000,
};

/**
 * The `webSocket()` of browsers and React Native. The runtime's own WebSocket is looked up at each dial.
 *
 * @param fallback The constructor in a runtime without a WebSocket.
 */
export function webSocket(
  target: WebSocketTarget,
  options: RuntimeWebSocketOptions = {},
  fallback?: WebSocketConstructor,
): Transport {
  return webSocketTransport(target, options, (address) =>
    construct(options.WebSocket ?? nativeWebSocket() ?? fallback ?? missingWebSocket(), address),
  );
}

/** The transport for any function that constructs a socket. The node entry shares it. */
export function webSocketTransport<Options extends WebSocketOptions>(
  target: WebSocketTarget,
  options: Options,
  create: (address: ResolvedAddress) => WebSocketLike,
  { rules = ROOT_RULES as Rules<WebSocketOptions> as Rules<Options>, hints, dialHint }: Variant<Options> = {},
): Transport {
  checkOptions("webSocket()", options, rules, hints);
  const resolve = addressResolver(target, options);
  return {
    reconnectable: true,
    async connect(context): Promise<Connection> {
      const address = await resolve(context);
      return await openWebSocket(
        constructed(create, address),
        shownUrl(address.url),
        context.signal,
        dialHint,
      );
    },
  };
}

/** Returns a function that resolves the address of one dial. Throws a UsageError for a fixed target that can't be dialled. */
export function addressResolver(
  target: WebSocketTarget,
  options: WebSocketOptions,
): (context: ConnectContext) => Promise<ResolvedAddress> {
  const fixed = typeof target === "function" ? undefined : resolveAddress(target, options);
  return async ({ signal, waitingFor }) => {
    signal.throwIfAborted();
    if (!fixed) waitingFor?.("the target function has not returned");
    const address =
      fixed ??
      resolveAddress(
        await untilAborted(Promise.resolve((target as TargetFunction)({ signal })), signal),
        options,
      );
    checkOffer(address);
    // The signal can abort between the target's result and this turn.
    signal.throwIfAborted();
    waitingFor?.(`${shownUrl(address.url)} has not answered`);
    return address;
  };
}

type TargetFunction = Extract<WebSocketTarget, (...args: never) => unknown>;

/** What `create` makes of an address. Throws a UsageError for protocols and headers that the runtime refuses. */
export function constructed<Made>(
  create: (address: ResolvedAddress) => Made,
  address: ResolvedAddress,
): Made {
  try {
    return create(address);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    // Without a cause: browsers quote the subprotocol, which can be a credential.
    const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown };
    invalid(
      `protocols and headers must be valid for a WebSocket to ${shownUrl(address.url)}, got values that the runtime refused (${String(code ?? name)})`,
    );
  }
}

function nativeWebSocket(): WebSocketConstructor | undefined {
  return (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
}

function missingWebSocket(): never {
  unsupported("This runtime has no WebSocket: set the option WebSocket, or load a polyfill that defines it");
}

function construct(
  Constructor: WebSocketConstructor,
  { url, protocols, headers }: ResolvedAddress,
): WebSocketLike {
  const WithOptions = Constructor as new (url: string, ...rest: unknown[]) => WebSocketLike;
  if (Constructor !== nativeWebSocket())
    return new WithOptions(url.href, protocols, { ...WS_OPTIONS, headers });
  if (Object.keys(headers).length === 0) return new Constructor(url.href, protocols);
  try {
    // The form of Node, Bun and Deno. A browser takes the object for a subprotocol with an invalid name.
    return new WithOptions(url.href, { protocols, headers });
  } catch (error) {
    if ((error as { name?: unknown } | undefined)?.name !== "SyntaxError") throw error;
    throw new UsageError(
      "ERR_UNSUPPORTED",
      "headers must be empty on this runtime, whose WebSocket can't send any: use protocols or the URL instead",
    );
  }
}
