import * as sdk from "exec-server-sdk";
import { LoadDriver, type LoadDriverOptions } from "../../test/soak/load/driver.ts";
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

/** The soak's driver in a page. */
export class Soaking {
  #driver: LoadDriver | undefined;

  begin({ address, state, ...places }: SoakingOptions): void {
    this.#driver = new LoadDriver({
      ...places,
      // The same classes, by their built declarations.
      sdk: sdk as unknown as LoadDriverOptions["sdk"],
      random: new Random(numbersFrom(state)),
      transport: () => sdk.webSocket(address.url, { protocols: address.protocols }),
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    });
  }

  perform(name: keyof LoadDriver, args: readonly unknown[]): unknown {
    const method = this.#driver?.[name] as ((...args: readonly unknown[]) => unknown) | undefined;
    if (!method) throw new Error("begin() comes first");
    return method.apply(this.#driver, [...args]);
  }
}
