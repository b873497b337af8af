import { TimeoutError } from "../errors/connection.ts";
import { ServerError } from "../errors/server.ts";
import type { OldServer } from "../protocol/features.ts";
import type { RpcPeer } from "../rpc/peer.ts";

/** Milliseconds that an old server has for each answer. */
const limits = { timeoutMs: 2_000 };

/** A server before 0.150 reports nothing in the handshake. The methods that it has tell its version. */
export async function askOldServer(rpc: RpcPeer): Promise<OldServer> {
  const info = (await ifAnswered(rpc.call("environment/info", null, limits))) ?? {};
  if (info.cwd != null) return { info, least: info.capabilities ? 145 : 143 };
  // Without params, a server refuses a method that it has for another reason than one that it does not have.
  const has = async (method: string): Promise<boolean> =>
    (await ifAnswered(rpc.request(method, {}, undefined, limits))) !== undefined;
  return { info, least: (await has("fs/open")) ? 142 : (await has("process/signal")) ? 140 : 0 };
}

/** The result of a request, or undefined if the server does not have the method. */
async function ifAnswered<Result>(
  request: Promise<Result>,
): Promise<Result | Record<string, never> | undefined> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof TimeoutError) return undefined;
    if (!(error instanceof ServerError)) throw error;
    return error.kind === "unsupported" ? undefined : {};
  }
}
