import { getServer, killServer, type ServerStatus, startServer } from "../page/api.ts";
import { byId } from "../page/dom.ts";
import { attempt } from "../page/notice.ts";

/** Sets up the buttons that kill and start the exec-server of the demo. */
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
  const update = (): void => attempt("Could not ask for the server", async () => show(await getServer()));
  // Another tab can have changed the state of the server.
  addEventListener("focus", update);
  update();
}
