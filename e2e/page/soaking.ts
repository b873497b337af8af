import * as sdk from "exec-server-sdk";
import { LoadDriver, type LoadDriverOptions } from "../../test/soak/load/driver.ts";
import { numbersFrom, Random } from "../../test/support/random.ts";

/** Options of {@link Soaking.begin}, as plain data. */
export interface SoakingOptions {
  readonly address: { url: string; protocols: string[] };
  /** The seed of the random numbers. */
  readonly state: number;
  readonly name: string;
  readonly directory: string;
  readonly origin: string;
}

/** The load driver of the soak test, in a page. */
export class Soaking {
  #driver: LoadDriver | undefined;

  begin({ address, state, ...places }: SoakingOptions): void {
    this.#driver = new LoadDriver({
      ...places,
      // The same classes, typed by the built declarations.
      sdk: sdk as unknown as LoadDriverOptions["sdk"],
      random: new Random(numbersFrom(state)),
      transport: () => sdk.webSocket(address.url, { protocols: address.protocols }),
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    });
  }

  perform(name: keyof LoadDriver, args: readonly unknown[]): unknown {
    const method = this.#driver?.[name] as ((...args: readonly unknown[]) => unknown) | undefined;
    if (!method) throw new Error("expected begin() to be called first");
    return method.apply(this.#driver, [...args]);
  }
}
