import { createHmac, randomBytes } from "node:crypto";

/** The fewest characters of a token. */
export const MIN_TOKEN_LENGTH = 16;

/** The tokens that admit a page, by name. The name of a token without one is undefined. */
export class TokenList {
  /** Random, so that the time of a lookup says nothing about a token. */
  readonly #key = randomBytes(32);
  #names = new Map<string, string | undefined>();

  constructor(tokens: Iterable<readonly [name: string | undefined, token: string]>) {
    this.replace(tokens);
  }

  /** Returns the names of the tokens that are no longer valid. */
  replace(tokens: Iterable<readonly [name: string | undefined, token: string]>): (string | undefined)[] {
    const previous = this.#names;
    this.#names = new Map([...tokens].map(([name, token]) => [this.#digest(token), name]));
    return [...previous].filter(([digest, name]) => !this.#isNamed(digest, name)).map(([, name]) => name);
  }

  /** The name of the first of these texts that is a token; undefined if none is. */
  find(offered: readonly string[]): { readonly name: string | undefined } | undefined {
    const digest = offered.map((text) => this.#digest(text)).find((each) => this.#names.has(each));
    return digest === undefined ? undefined : { name: this.#names.get(digest) };
  }

  #isNamed(digest: string, name: string | undefined): boolean {
    return this.#names.has(digest) && this.#names.get(digest) === name;
  }

  #digest(text: string): string {
    return createHmac("sha256", this.#key).update(text).digest("base64");
  }
}
