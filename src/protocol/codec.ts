import { blockForm } from "./filesystem.ts";
import { bodyDeltaForm } from "./http.ts";
import { type IncomingMessage, parseMessage } from "./json-rpc.ts";
import { decodePayload } from "./payload.ts";
import { outputForm } from "./process.ts";

/** The messages that carry bytes. */
const FORMS = [outputForm, blockForm, bodyDeltaForm];

/** Shorter frames, in characters: the JSON parser is as fast. */
const MIN_PAYLOAD_FRAME = 96;

/**
 * Decodes one frame into one message. A message that carries bytes, written as the server writes it, has them decoded
 * straight from the frame; every other frame goes through the JSON parser, which leaves them as base64.
 *
 * @throws ProtocolError for a frame that is no message.
 */
export function decodeFrame(frame: string | Uint8Array): IncomingMessage {
  const message = frame.length >= MIN_PAYLOAD_FRAME ? decodePayload(frame, FORMS) : undefined;
  return message ?? parseMessage(frame);
}
