import { LazyExecServerClient } from "../../dist/index.js";
import { webSocket } from "../../dist/node.js";
import { jsonRpc } from "./adapters/json-rpc-2.0.ts";
import { mcp } from "./adapters/mcp.ts";
import { rpcWebSockets } from "./adapters/rpc-websockets.ts";
import { vscodeJsonRpc } from "./adapters/vscode-jsonrpc.ts";
import { HandWrittenClient } from "./hand-written.ts";
import type { RpcClient } from "./rpc-client.ts";

export const PEERS = [jsonRpc, rpcWebSockets, vscodeJsonRpc, mcp];

/** All clients, connected to the same server with `ws`, even where Node.js has a native WebSocket. */
export class Clients implements AsyncDisposable {
  readonly url: string;
  readonly sdk: LazyExecServerClient;
  readonly handWritten: HandWrittenClient;
  #peers: Promise<ReadonlyMap<string, RpcClient>> | undefined;
  readonly #releases: (() => Promise<void>)[] = [];

  private constructor(url: string, handWritten: HandWrittenClient) {
    this.url = url;
    this.sdk = new LazyExecServerClient({ transport: webSocket(url) });
    this.handWritten = handWritten;
  }

  static async connect(url: string): Promise<Clients> {
    return new Clients(url, await HandWrittenClient.connect(url));
  }

  /** All clients except the SDK, by name. */
  async others(): Promise<ReadonlyMap<string, RpcClient>> {
    this.#peers ??= this.#connectPeers();
    return new Map([["hand-written", this.handWritten], ...(await this.#peers)]);
  }

  /** Adds a function that releases the resources of a case at the end of the run. */
  onEnd(release: () => Promise<void>): void {
    this.#releases.push(release);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const release of this.#releases) await release();
    for (const client of (await this.#peers)?.values() ?? []) client.close();
    this.handWritten.close();
    await this.sdk.close();
  }

  async #connectPeers(): Promise<ReadonlyMap<string, RpcClient>> {
    const peers = new Map<string, RpcClient>();
    for (const { name, connect } of PEERS) peers.set(name, await connect(this.url));
    return peers;
  }
}
