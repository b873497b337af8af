// First, so that it is there before the SDK is.
import "./task-clock.ts";
import { type Call, perform, Scenario } from "./scenario.ts";
import { takeTaskTimes } from "./task-clock.ts";
import { WorkerScenario } from "./worker-scenario.ts";

const violations: string[] = [];
document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sample }) => {
  violations.push(`${violatedDirective} ${blockedURI} ${sample}`);
});

const scenario = new Scenario();
let worker: WorkerScenario | undefined;

/** What the tests reach the page by. */
const harness = {
  inPage: (call: Call) => perform(scenario, call),
  inWorker: (call: Call) => {
    worker ??= new WorkerScenario();
    return worker.perform(call);
  },
  takeTaskTimes,
  violations,
};

export type Harness = typeof harness;
Object.assign(globalThis, { harness });
