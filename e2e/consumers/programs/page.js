/** Runs the lifecycle in a page. The URL fragment has the parameters; the report becomes the text of the page. */
import { LazyExecServerClient, webSocket } from "exec-server-sdk";
import { lifecycle } from "./lifecycle.mjs";

const { url, token, origin } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));

function connect(dialled) {
  const target = () => {
    dialled();
    return url;
  };
  const protocols = ["exec-server-gateway", token];
  return new LazyExecServerClient({ transport: webSocket(target, { protocols }) });
}

lifecycle(connect, origin).then(
  (report) => show(JSON.stringify(report)),
  (error) => show(String(error?.stack ?? error)),
);

function show(text) {
  const result = document.createElement("pre");
  result.textContent = text;
  document.body.append(result);
}
