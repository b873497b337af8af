import { afterAll, beforeAll, describe } from "vitest";
import { realClient } from "./real-client.ts";

type Real = Awaited<ReturnType<typeof realClient>>;

/**
 * Describes promises that hold on a server that works on one request at a time, and on one that works on several and does
 * not keep their order. Each has a client of its own for all of these tests.
 */
export function describeOnBothServers(
  title: string,
  tests: (real: Pick<Real, "client" | "server">) => void,
): void {
  describe.each([
    ["one request at a time", []],
    ["eight requests at a time", ["--concurrent-requests", "8"]],
  ])(`${title} a server with %s`, (_, args) => {
    let real: Real;
    beforeAll(async () => {
      real = await realClient({ args });
    });
    afterAll(() => real[Symbol.asyncDispose]());
    tests({
      get client() {
        return real.client;
      },
      get server() {
        return real.server;
      },
    });
  });
}
