import { createHmac, randomBytes } from "node:crypto";
import type { Identity } from "./identity.ts";

/** The fewest characters of a token. */
export const MIN_TOKEN_LENGTH = 16;

/** A token, and whom it admits. */
export type TokenEntry = readonly [token: string, identity: Identity];

/** The tokens that admit a page. */
export class TokenList {
  /** Random, so that the time of a lookup says nothing about a token. */
  readonly #key = randomBytes(32);
  #identities: ReadonlyMap<string, Identity>;

  constructor(entries: readonly TokenEntry[]) {
    this.#identities = this.#digested(entries);
  }

  /** Returns the identities whose tokens are no longer valid. */
  replace(entries: readonly TokenEntry[]): Identity[] {
    const previous = this.#identities;
    this.#identities = this.#digested(entries);
    return [...previous]
      .filter(
        ([digest, { user }]) => !this.#identities.has(digest) || this.#identities.get(digest)?.user !== user,
      )
      .map(([, identity]) => identity);
  }

  /** Whom the first of these texts that is a token admits; undefined if none is one. */
  find(offered: readonly string[]): Identity | undefined {
    for (const text of offered) {
      const identity = this.#identities.get(this.#digest(text));
      if (identity) return identity;
    }
    return undefined;
  }

  #digested(entries: readonly TokenEntry[]): ReadonlyMap<string, Identity> {
    return new Map(entries.map(([token, identity]) => [this.#digest(token), identity]));
  }

  #digest(text: string): string {
    return createHmac("sha256", this.#key).update(text).digest("base64");
  }
}
