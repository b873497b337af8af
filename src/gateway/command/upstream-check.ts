import { get as getHttp } from "node:http";
import { get as getHttps } from "node:https";
import { dialError } from "../readiness.ts";
import { errorText, type Log } from "./log.ts";
import type { NamedUpstream } from "./upstreams.ts";

const TIMEOUT_MS = 5_000;

/** What was found at an exec-server. */
interface Finding {
  readonly ok: boolean;
  readonly text: string;
}

/** Looks at each exec-server once, and logs what was found. The gateway serves either way. */
export async function checkUpstreams(upstreams: readonly NamedUpstream[], log: Log): Promise<void> {
  await Promise.all(
    upstreams.map(async ({ name, url, transport }) => {
      const { ok, text } = url === undefined ? await tryCommand(transport) : await askServer(url);
      log.message("upstream", `upstream ${name} ${text}`, { upstream: name, ok });
    }),
  );
}

async function tryCommand(transport: NamedUpstream["transport"]): Promise<Finding> {
  const error = await dialError(transport);
  return error === undefined
    ? { ok: true, text: "can be started" }
    : { ok: false, text: `can't be started: ${errorText(error)}` };
}

/** Over HTTP: a WebSocket would leave a session behind. */
function askServer(url: string): Promise<Finding> {
  const target = new URL("/readyz", url);
  const isSecure = target.protocol === "wss:";
  target.protocol = isSecure ? "https:" : "http:";
  const get = isSecure ? getHttps : getHttp;
  return new Promise((resolve) => {
    const request = get(target, { agent: false, timeout: TIMEOUT_MS }, (response) => {
      response.resume();
      const { statusCode } = response;
      resolve(
        statusCode === 200
          ? { ok: true, text: "answers as an exec-server" }
          : {
              ok: false,
              text: `answers HTTP ${statusCode} to /readyz, an exec-server 200: is its port right?`,
            },
      );
    });
    request.once("timeout", () => request.destroy(new Error("timeout")));
    request.once("error", (error: NodeJS.ErrnoException) =>
      resolve({ ok: false, text: `can't be reached yet: ${error.code ?? error.message}` }),
    );
  });
}
