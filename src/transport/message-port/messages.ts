import * as z from "zod/mini";
import { ProtocolError } from "../../errors/connection.ts";

/**
 * The control messages of a message port; frames are plain strings beside them. The client requests a connection
 * (`hello`), the bridge dials and reports the outcome (`opened`, `refused`). The client then accepts the connection
 * (`accepted`) or has aborted its request (`withdrawn`). After `accepted`, frames flow until one side sends `goodbye`.
 * Messages before that name their attempt, because an answer can cross with an abort.
 *
 * The names are part of the wire protocol: the two sides can have different releases of the SDK.
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
    /** `length`: characters delivered to the receiver since the last report. */
    z.object({ protocol, type: z.literal("received"), length: z.number() }),
    /** Requests `flushed`, to be sent once every earlier frame has been delivered. */
    z.object({ protocol, type: z.literal("flush") }),
    z.object({ protocol, type: z.literal("flushed") }),
    /** Requests `pong`, to be sent at once. */
    z.object({ protocol, type: z.literal("ping") }),
    z.object({ protocol, type: z.literal("pong") }),
  ]);
})();

type WithoutProtocol<Message> = Message extends unknown ? Omit<Message, "protocol"> : never;
export type PortMessage = WithoutProtocol<z.infer<typeof schema>>;
export type PortMessageOf<Type extends PortMessage["type"]> = Extract<PortMessage, { type: Type }>;

/** A control message in the form in which it is posted. */
export function portMessage(message: PortMessage): unknown {
  return { protocol: PROTOCOL, ...message };
}

/** Throws a ProtocolError for anything but a control message of this protocol. */
export function parsePortMessage(data: unknown): PortMessage {
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  const { protocol } = (data ?? {}) as { readonly protocol?: unknown };
  const isOtherVersion =
    typeof protocol === "string" && protocol.startsWith("exec-server-port/") && protocol !== PROTOCOL;
  throw new ProtocolError(
    isOtherVersion
      ? "The two sides of the message port have different versions of exec-server-sdk"
      : "Received a message that exec-server-sdk did not send on this port",
  );
}
