import * as sdk from "exec-server-sdk";
import { Player, type PlayerOptions } from "../../test/soak/load/player.ts";
import { numbersFrom, Random } from "../../test/support/random.ts";

/** Plain data. */
export interface SoakingOptions {
  readonly address: { url: string; protocols: string[] };
  /** What its random numbers follow from. */
  readonly state: number;
  readonly name: string;
  readonly directory: string;
  readonly origin: string;
}

/** The soak's player in a page. */
export class Soaking {
  #player: Player | undefined;

  begin({ address, state, ...places }: SoakingOptions): void {
    this.#player = new Player({
      ...places,
      // The same classes, by their built declarations.
      sdk: sdk as unknown as PlayerOptions["sdk"],
      random: new Random(numbersFrom(state)),
      transport: () => sdk.webSocket(address.url, { protocols: address.protocols }),
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    });
  }

  perform(name: keyof Player, args: readonly unknown[]): unknown {
    const method = this.#player?.[name] as ((...args: readonly unknown[]) => unknown) | undefined;
    if (!method) throw new Error("begin() comes first");
    return method.apply(this.#player, [...args]);
  }
}
