import { ProtocolError } from "../errors/connection.ts";
import { type RequestId, type RpcErrorObject, UNKNOWN_REQUEST } from "../protocol/json-rpc.ts";
import type { Call } from "./call.ts";
import { LastRequests } from "./last-requests.ts";

/** The requests in flight, oldest first. */
export class PendingRequests extends Map<RequestId, Call<never>> {
  #hasAnswered = false;

  /** Whether a request was answered. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /** Removes the request of a response. Undefined for an id that is not pending: such a response is ignored. */
  take(id: RequestId): Call<never> | undefined {
    const call = this.get(id);
    if (this.delete(id)) this.#hasAnswered = true;
    return call;
  }

  /** Those that release something; undefined if there are none. */
  releasing(): LastRequests | undefined {
    const ids = [...this].filter(([, call]) => call.releases).map(([id]) => id);
    return ids.length > 0 ? new LastRequests(ids) : undefined;
  }

  /** Removes all of them. */
  takeAll(): Call<never>[] {
    const calls = [...this.values()];
    this.clear();
    return calls;
  }

  /**
   * Removes the request of an error response. A request that the server could not read has no id in it: then it is the
   * only one in flight. With none or several in flight, one of them would stay pending for ever.
   *
   * @throws ProtocolError in that case, which ends the connection.
   */
  takeFailed(id: RequestId, error?: RpcErrorObject): Call<never> | undefined {
    if (id !== UNKNOWN_REQUEST) return this.take(id);
    const [only, ...others] = this.keys();
    if (only !== undefined && others.length === 0) return this.take(only);
    const problem = error ? ` (${error.code}): ${error.message}` : "";
    throw new ProtocolError(`The server could not read a message${problem}`);
  }
}
