import { getServer, killServer, type ServerStatus, startServer } from "./api.ts";
import { byId } from "./dom.ts";
import { attempt } from "./notice.ts";

/** The demo's own trick: ends its server for real, and starts it again. */
export function setUpServerButtons(): void {
  const kill = byId<HTMLButtonElement>("kill");
  const start = byId<HTMLButtonElement>("start");
  const show = ({ running }: ServerStatus): void => {
    kill.disabled = !running;
    start.disabled = running;
    start.classList.toggle("primary", !running);
  };
  const on = (button: HTMLButtonElement, what: string, action: () => Promise<ServerStatus>): void => {
    button.addEventListener("click", () => attempt(what, async () => show(await action())));
  };
  on(kill, "Could not kill the server", killServer);
  on(start, "Could not start the server", startServer);
  const look = (): void => attempt("Could not ask for the server", async () => show(await getServer()));
  // Another tab may have pressed the button.
  addEventListener("focus", look);
  look();
}
