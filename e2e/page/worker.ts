import { type Call, perform, Scenario } from "./scenario.ts";

const scenario = new Scenario();
// This file is checked with the types of a page; a worker's own `postMessage` takes the message alone.
const answer = postMessage as (message: unknown) => void;

addEventListener("message", async ({ data }: MessageEvent<{ id: number; call: Call }>) => {
  const { id, call } = data;
  try {
    answer({ id, result: await perform(scenario, call) });
  } catch (error) {
    answer({ id, error: String(error) });
  }
});
