import { decodeBase64, encodeBase64 } from "../internal/base64.ts";
import type { Bytes } from "../internal/bytes.ts";
import { isUint8Array } from "../internal/realms.ts";

/** Checks a value and returns what it holds. Every zod schema is one. */
export interface Schema<T> {
  safeParse(
    value: unknown,
  ): { readonly success: true; readonly data: T } | { readonly success: false; readonly data?: undefined };
}

/** A message whose base64 in `Member` is decoded. */
type Decoded<Wire, Member extends keyof Wire> = Omit<Wire, Member> & { readonly [_ in Member]: Bytes };

const MISMATCH = { success: false } as const;

/**
 * The schema of a message that carries bytes in `member`: base64 from the JSON parser, or bytes from the codec. The
 * latter need no check, because no JSON holds a Uint8Array and the codec decodes only messages of exactly this shape.
 */
export function decoded<Member extends string, Wire extends { readonly [_ in Member]: string }>(
  schema: Schema<Wire>,
  member: Member,
): Schema<Decoded<Wire, Member>> {
  return {
    safeParse(value) {
      const { [member]: bytesOrText } = (value ?? {}) as Readonly<Record<string, unknown>>;
      if (isUint8Array(bytesOrText)) {
        return { success: true, data: value as Decoded<Wire, Member> };
      }
      const { data } = schema.safeParse(value);
      const bytes = data && decodeBase64(data[member]);
      return bytes ? { success: true, data: { ...data, [member]: bytes } } : MISMATCH;
    },
  };
}

/** The schema of a result as it is on the wire, with bytes from the codec as base64 again. */
export function encoded<Result>(schema: Schema<Result> | undefined): Schema<unknown> {
  return {
    safeParse(value) {
      const { chunk } = (value ?? {}) as { readonly chunk?: unknown };
      const wire = isUint8Array(chunk) ? { ...(value as object), chunk: encodeBase64(chunk) } : value;
      return schema ? schema.safeParse(wire) : { success: true, data: wire };
    },
  };
}
