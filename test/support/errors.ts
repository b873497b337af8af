import {
  ClosedError,
  DisconnectedError,
  ProtocolError,
  ServerError,
  TimeoutError,
} from "../../src/errors.ts";

/** Errors of the SDK that somebody may hand on as the reason of an abort: what failed elsewhere ends this as well. */
export const OWN_ERRORS = {
  ClosedError: new ClosedError(),
  DisconnectedError: new DisconnectedError("lost elsewhere"),
  ProtocolError: new ProtocolError("broken elsewhere"),
  ServerError: new ServerError("refused elsewhere", { rpcCode: -32603 }),
  TimeoutError: new TimeoutError("ERR_TIMEOUT", "late elsewhere"),
};
