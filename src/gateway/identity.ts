/** Who an admitted page belongs to, and its limits. */
export interface Identity {
  readonly user?: string | undefined;
  /** Milliseconds since 1970. */
  readonly expiresAt?: number | undefined;
  readonly maxPages?: number | undefined;
}
