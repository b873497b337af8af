import { ProtocolError } from "../errors/connection.ts";
import type { Schema } from "../protocol/encoded-bytes.ts";
import type { Channel } from "./channel.ts";
import type { ConnectionFailure } from "./errors.ts";

/** Where notifications come from: a peer. */
export interface NotificationSource {
  onNotification(method: string, listener: (params: unknown) => void): void;
  onEnd(listener: (failure: ConnectionFailure) => void): void;
  readonly channel: Pick<Channel, "hold">;
}

/** Receives the notifications about one process, one response body or one watch. */
export interface Route<Event> {
  accept(event: Event): void;
  /** The route ends: a notification about it was invalid, or its connection has ended. */
  fail(error: Error): void;
}

/** For each method, a function that turns its params into an event. */
export type EventReaders<Event> = Readonly<Record<string, (params: unknown) => Event | undefined>>;

/** Reads params by a schema, and makes an event of them. */
export function reader<Params, Event>(
  schema: Schema<Params>,
  toEvent: (params: Params) => Event,
): (params: unknown) => Event | undefined {
  return (params) => {
    const { data } = schema.safeParse(params);
    return data && toEvent(data);
  };
}

/**
 * Routes notifications by the id in their params. An invalid notification fails only its own route. A notification
 * without an id can't be attributed, and ends the connection.
 */
export class Router<Key extends string | number, Event> {
  readonly #source: NotificationSource;
  readonly #keyName: string;
  readonly #keyType: "string" | "number";
  readonly #routes = new Map<Key, Route<Event>>();

  /**
   * Attaches to the source.
   *
   * @param keyName The member of the params that holds the id.
   */
  constructor(
    source: NotificationSource,
    keyName: string,
    keyType: Key extends string ? "string" : "number",
    readers: EventReaders<Event>,
  ) {
    this.#source = source;
    this.#keyName = keyName;
    this.#keyType = keyType;
    for (const [method, read] of Object.entries(readers)) {
      source.onNotification(method, (params) => this.#accept(method, params, read));
    }
    source.onEnd((failure) => this.#failAll(failure));
  }

  get size(): number {
    return this.#routes.size;
  }

  has(key: Key): boolean {
    return this.#routes.has(key);
  }

  /** Adds a route, which keeps a Node process alive. Returns a function that removes it. */
  add(key: Key, route: Route<Event>): () => void {
    this.#routes.set(key, route);
    let release: (() => void) | undefined = this.#source.channel.hold();
    return () => {
      release?.();
      release = undefined;
      // A later route may have the key by now.
      if (this.#routes.get(key) === route) this.#routes.delete(key);
    };
  }

  /** Ignores notifications about ids that have no route. */
  #accept(method: string, params: unknown, read: (params: unknown) => Event | undefined): void {
    const key = (params as Record<string, unknown> | null | undefined)?.[this.#keyName];
    if (typeof key !== this.#keyType) {
      throw new ProtocolError(`A ${method} notification has no ${this.#keyName}`);
    }
    const route = this.#routes.get(key as Key);
    if (!route) return;
    const event = read(params);
    if (event === undefined) route.fail(new ProtocolError(`A ${method} notification has the wrong shape`));
    else route.accept(event);
  }

  #failAll(failure: ConnectionFailure): void {
    const routes = [...this.#routes.values()];
    this.#routes.clear();
    for (const route of routes) route.fail(failure);
  }
}
