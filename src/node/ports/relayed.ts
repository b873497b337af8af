import { once } from "node:events";
import type { Socket } from "node:net";
import { UsageError } from "../../errors/usage.ts";
import { unobserved } from "../../internal/deferred.ts";
import type { RemoteSocket } from "../../tcp/socket.ts";

/**
 * Passes everything on between a local and a remote connection, in both directions, until both have ended. Rejects with
 * the error of the remote one; the local one is left to the caller.
 */
export async function relay(local: Socket, remote: RemoteSocket): Promise<void> {
  await Promise.all([passOn(local, remote), passBack(remote, local)]);
  await remote.closed;
}

/** Ends with the local end. A failure of the remote connection shows in the way back. */
async function passOn(local: Socket, remote: RemoteSocket): Promise<void> {
  const writer = remote.writable.getWriter();
  local.on("data", (chunk) => {
    void unobserved(writer.write(chunk));
    if ((writer.desiredSize ?? 0) > 0) return;
    local.pause();
    // A writer that has failed is never ready again.
    writer.ready.then(
      () => local.resume(),
      () => {},
    );
  });
  // It was paused until there is a way to pass its bytes on.
  local.resume();
  await Promise.race([once(local, "end"), unobserved(remote.closed)]);
  try {
    await writer.close();
  } catch (error) {
    // Where one direction can't be ended, both are.
    if (error instanceof UsageError) await remote.close();
  }
}

async function passBack(remote: RemoteSocket, local: Socket): Promise<void> {
  for await (const chunk of remote.readable) {
    if (!local.write(chunk)) await once(local, "drain");
  }
  local.end();
}
