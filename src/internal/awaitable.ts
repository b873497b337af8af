/** A value, or a promise of it. @inline */
export type Awaitable<T> = T | PromiseLike<T>;
