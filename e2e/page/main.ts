// First, so that it is loaded before the SDK.
import "./task-clock.ts";
import { GuestHost, openFrame, openWorker } from "./guest-host.ts";
import { type Call, perform, Scenario } from "./scenario.ts";
import { Soaking } from "./soaking.ts";
import { takeTaskTimes } from "./task-clock.ts";

const violations: string[] = [];
document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sample }) => {
  violations.push(`${violatedDirective} ${blockedURI} ${sample}`);
});

const problems: string[] = [];
addEventListener("error", ({ message }) => problems.push(message));
addEventListener("unhandledrejection", ({ reason }) => problems.push(String(reason)));

const scenario = new Scenario(() => {
  throw new Error("the scenario of the page itself has no ports");
});

/** Creates the guest on first use. */
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

/** The functions that tests call in the page. */
const harness = {
  perform: (place: Place, call: Call) =>
    place === "inPage" ? perform(scenario, call) : guests[place]().perform(call),
  remove: (place: Guest) => guests[place]().remove(),
  soaking: new Soaking(),
  takeTaskTimes,
  /** Uncaught errors and unhandled rejections, for a driver that does not report them. */
  problems,
  violations,
};

type Guest = keyof typeof guests;
/** Where the scenario runs: in the page, in a worker with its own WebSocket, or in a worker or frame with ports to the page. */
export type Place = "inPage" | Guest;
export type Harness = typeof harness;
Object.assign(globalThis, { harness });
