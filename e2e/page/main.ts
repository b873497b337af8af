// First, so that it is there before the SDK is.
import "./task-clock.ts";
import { GuestHost, openFrame, openWorker } from "./guest-host.ts";
import { type Call, perform, Scenario } from "./scenario.ts";
import { takeTaskTimes } from "./task-clock.ts";

const violations: string[] = [];
document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sample }) => {
  violations.push(`${violatedDirective} ${blockedURI} ${sample}`);
});

const scenario = new Scenario(() => {
  throw new Error("a page bridges its ports to nobody");
});

/** Made when first used. */
const guest = (make: () => GuestHost): (() => GuestHost) => {
  let made: GuestHost | undefined;
  return () => {
    made ??= make();
    return made;
  };
};
const guests = {
  inWorker: guest(() => new GuestHost(openWorker, false)),
  inPortWorker: guest(() => new GuestHost(openWorker, true)),
  inFrame: guest(() => new GuestHost(openFrame, true)),
};

/** What the tests reach the page by. */
const harness = {
  perform: (place: Place, call: Call) =>
    place === "inPage" ? perform(scenario, call) : guests[place]().perform(call),
  remove: (place: Guest) => guests[place]().remove(),
  takeTaskTimes,
  violations,
};

type Guest = keyof typeof guests;
/** Where the scenario runs: in the page itself, or beside it, with a WebSocket of its own or on ports to the page. */
export type Place = "inPage" | Guest;
export type Harness = typeof harness;
Object.assign(globalThis, { harness });
