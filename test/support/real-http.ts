import type { ExecServerOptions } from "./exec-server.ts";
import { Origin } from "./origin.ts";
import { realClient } from "./real-client.ts";

/** A client with its own real server, and an origin for its requests. Disposing closes all of them. */
export async function realHttp(options?: ExecServerOptions) {
  const origin = await Origin.start();
  const real = await realClient(options);
  return {
    ...real,
    origin,
    async [Symbol.asyncDispose]() {
      await real[Symbol.asyncDispose]();
      await origin[Symbol.asyncDispose]();
    },
  };
}
