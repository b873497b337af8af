import { ClosedError, DisconnectedError, ProtocolError, TimeoutError } from "../../src/errors/connection.ts";
import { ServerError } from "../../src/errors/server.ts";

/** Errors of the SDK that a caller may pass as the reason of an abort, after another operation has failed with them. */
export const OWN_ERRORS = {
  ClosedError: new ClosedError(),
  DisconnectedError: new DisconnectedError("lost elsewhere"),
  ProtocolError: new ProtocolError("broken elsewhere"),
  ServerError: new ServerError("refused elsewhere", { rpcCode: -32603 }),
  TimeoutError: new TimeoutError("ERR_TIMEOUT", "late elsewhere"),
};
