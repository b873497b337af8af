import { ExecServerError } from "exec-server-sdk";
import { byId } from "./dom.ts";

const SHOWN_MS = 6_000;
let hiding: ReturnType<typeof setTimeout> | undefined;

/** Shows a failure for SHOWN_MS milliseconds. */
function notify(what: string, error: unknown): void {
  const notice = byId("notice");
  notice.textContent = `${what}: ${explain(error)}`;
  notice.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => {
    notice.hidden = true;
  }, SHOWN_MS);
}

/** Returns a message for the user, chosen by the `code` of the error. */
export function explain(error: unknown): string {
  if (!(error instanceof ExecServerError)) return error instanceof Error ? error.message : String(error);
  switch (error.code) {
    case "ERR_CONNECT":
    case "ERR_CONNECT_TIMEOUT":
      return "the server can't be reached. Start it and try again.";
    case "ERR_DISCONNECTED":
      return "the connection was lost. Try again: that opens a new session.";
    default:
      return error.message;
  }
}

/** Runs an action of an event handler, and shows a notice if it fails. */
export function attempt(what: string, action: () => Promise<unknown>): void {
  action().catch((error) => notify(what, error));
}
