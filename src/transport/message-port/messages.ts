import * as z from "zod/mini";
import { ProtocolError } from "../../errors.ts";

/**
 * What the two sides of a message port say to each other besides the frames, which are plain strings. The client wishes
 * for a connection (`hello`); the bridge dials and says how that went (`opened`, `refused`). The client takes it
 * (`accepted`) or has changed its mind (`withdrawn`); frames flow from then on until one side says `goodbye`. Answers
 * name the attempt they belong to, because they may cross with a change of mind.
 */
const PROTOCOL = "exec-server-port/1";

const schema = /* @__PURE__ */ (() => {
  const protocol = z.literal(PROTOCOL);
  const attempt = z.number();
  const error = z.optional(
    z.object({
      name: z.string(),
      code: z.optional(z.union([z.string(), z.number()])),
      message: z.string(),
    }),
  );
  const reason = z.optional(z.string());
  const closeCode = z.optional(z.number());
  return z.discriminatedUnion("type", [
    z.object({ protocol, type: z.literal("hello"), attempt }),
    z.object({ protocol, type: z.literal("opened"), attempt }),
    z.object({
      protocol,
      type: z.literal("refused"),
      attempt,
      reason: z.string(),
      status: closeCode,
      closeCode,
      error,
    }),
    z.object({ protocol, type: z.literal("withdrawn"), attempt }),
    z.object({ protocol, type: z.literal("accepted"), attempt }),
    z.object({ protocol, type: z.literal("goodbye"), reason, closeCode, error }),
    /** That much, in characters, has been passed on since the last report. */
    z.object({ protocol, type: z.literal("received"), length: z.number() }),
    /** Asks for `flushed` once everything sent so far has been passed on. */
    z.object({ protocol, type: z.literal("flush") }),
    z.object({ protocol, type: z.literal("flushed") }),
    /** Asks for `pong` at once. */
    z.object({ protocol, type: z.literal("ping") }),
    z.object({ protocol, type: z.literal("pong") }),
  ]);
})();

type WithoutProtocol<Message> = Message extends unknown ? Omit<Message, "protocol"> : never;
export type PortMessage = WithoutProtocol<z.infer<typeof schema>>;
export type PortMessageOf<Type extends PortMessage["type"]> = Extract<PortMessage, { type: Type }>;

/** A message as it is posted. */
export function portMessage(message: PortMessage): unknown {
  return { protocol: PROTOCOL, ...message };
}

/** Throws a ProtocolError for what is none of ours. */
export function parsePortMessage(data: unknown): PortMessage {
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  const { protocol } = (data ?? {}) as { readonly protocol?: unknown };
  const isOtherVersion =
    typeof protocol === "string" && protocol.startsWith("exec-server-port/") && protocol !== PROTOCOL;
  throw new ProtocolError(
    isOtherVersion
      ? "The two sides of the message port are of different versions of exec-server-sdk"
      : "Something else than this SDK has posted to the message port",
  );
}
