import { ExecServerError } from "exec-server-sdk";
import { byId } from "./dom.ts";

const SHOWN_MS = 6_000;
let hiding: ReturnType<typeof setTimeout> | undefined;

/** Tells what did not work, for a while. */
function notify(what: string, error: unknown): void {
  const notice = byId("notice");
  notice.textContent = `${what}: ${explain(error)}`;
  notice.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => {
    notice.hidden = true;
  }, SHOWN_MS);
}

/** An error in words that help; what to do about one is decided by its `code`. */
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

/** For event handlers: does something, and tells when it did not work. */
export function attempt(what: string, action: () => Promise<unknown>): void {
  action().catch((error) => notify(what, error));
}
