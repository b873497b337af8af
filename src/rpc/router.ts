import { ProtocolError } from "../errors.ts";
import type { ConnectionFailure } from "./errors.ts";

/** Where the notifications about one thing go: a process, a body, a watch. */
export interface Route<Event> {
  accept(event: Event): void;
  /** The thing is broken: its data were not valid, or its connection has ended. */
  fail(error: Error): void;
}

/** Turns params into an event; undefined if they have the wrong shape. */
export type Parsers<Event> = Readonly<Record<string, (params: unknown) => Event | undefined>>;

/** Reads an event off a frame that need not be parsed; undefined for any other frame. */
export type FrameReader<Key, Event> = (
  frame: string | Uint8Array,
) => { readonly key: Key; readonly event: Event } | undefined;

/**
 * Brings notifications to the thing they are about. Data that are wrong fail only their own thing; data that name no
 * thing can't be attributed, and end the connection.
 */
export class Router<Key extends string | number, Event> {
  readonly #keyName: string;
  readonly #keyType: "string" | "number";
  readonly #parsers: Parsers<Event>;
  readonly #readFrame: FrameReader<Key, Event> | undefined;
  readonly #routes = new Map<Key, Route<Event>>();

  /** @param keyName The member of the params that names the thing. */
  constructor(
    keyName: string,
    keyType: Key extends string ? "string" : "number",
    parsers: Parsers<Event>,
    readFrame?: FrameReader<Key, Event>,
  ) {
    this.#keyName = keyName;
    this.#keyType = keyType;
    this.#parsers = parsers;
    this.#readFrame = readFrame;
  }

  get size(): number {
    return this.#routes.size;
  }

  has(key: Key): boolean {
    return this.#routes.has(key);
  }

  /** Returns what takes the route away again. */
  add(key: Key, route: Route<Event>): () => void {
    this.#routes.set(key, route);
    return () => {
      // The key may belong to a later thing by now.
      if (this.#routes.get(key) === route) this.#routes.delete(key);
    };
  }

  /** Does what `accept` would do, if it can tell without parsing the frame. Returns whether it could. */
  acceptFrame(frame: string | Uint8Array): boolean {
    const read = this.#readFrame?.(frame);
    if (read) this.#routes.get(read.key)?.accept(read.event);
    return read !== undefined;
  }

  /** Ignores notifications of other methods, and those about things nobody knows. */
  accept(method: string, params: unknown): void {
    const parse = Object.hasOwn(this.#parsers, method) ? this.#parsers[method] : undefined;
    if (!parse) return;
    const key = (params as Record<string, unknown> | null | undefined)?.[this.#keyName];
    if (typeof key !== this.#keyType)
      throw new ProtocolError(`A ${method} notification has no ${this.#keyName}`);
    const route = this.#routes.get(key as Key);
    if (!route) return;
    const event = parse(params);
    if (event === undefined) route.fail(new ProtocolError(`A ${method} notification has the wrong shape`));
    else route.accept(event);
  }

  failAll(failure: ConnectionFailure): void {
    const routes = [...this.#routes.values()];
    this.#routes.clear();
    for (const route of routes) route.fail(failure);
  }
}
