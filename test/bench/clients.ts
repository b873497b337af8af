import { LazyExecServerClient } from "exec-server-sdk";
import { webSocket } from "exec-server-sdk/node";
import { HandWrittenClient } from "./hand-written.ts";

/** Both connected to the same server, and both on `ws`, whatever WebSocket this Node has of its own. */
export interface Clients {
  readonly url: string;
  readonly sdk: LazyExecServerClient;
  readonly handWritten: HandWrittenClient;
}

export async function connect(url: string): Promise<Clients & AsyncDisposable> {
  const sdk = new LazyExecServerClient({ transport: webSocket(url) });
  const handWritten = await HandWrittenClient.connect(url);
  return {
    url,
    sdk,
    handWritten,
    async [Symbol.asyncDispose]() {
      handWritten.close();
      await sdk.close();
    },
  };
}
