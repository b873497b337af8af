import { ExecServerClient } from "../../client/client.ts";
import { errorText, type Log } from "./log.ts";
import type { NamedUpstream } from "./upstreams.ts";

const TIMEOUT_MS = 5_000;

/** Connects to each exec-server once, and logs what was found. The gateway serves either way. */
export async function checkUpstreams(upstreams: readonly NamedUpstream[], log: Log): Promise<void> {
  await Promise.all(
    upstreams.map(async ({ name, transport }) => {
      try {
        const client = await ExecServerClient.connect({
          transport,
          clientName: "exec-server-gateway",
          connectTimeoutMs: TIMEOUT_MS,
          initializeTimeoutMs: TIMEOUT_MS,
        });
        await client.close();
        log.message("upstream", `upstream ${name} answers as an exec-server`, { upstream: name, ok: true });
      } catch (error) {
        const text = `upstream ${name} can't be used yet: ${errorText(error)}`;
        log.message("upstream", text, { upstream: name, ok: false });
      }
    }),
  );
}
