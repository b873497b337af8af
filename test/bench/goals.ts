import type { Case } from "./cases/case.ts";
import type { Samples } from "./measure.ts";
import { ratios, typical } from "./table.ts";

/** One line for each goal of a case, with the figure that was reached. */
export function goalResults(each: Case, samples: Samples): string[] {
  const { name, goal = {}, unit } = each;
  const { speed, cpu } = ratios(samples);
  const wall = typical(each, samples["SDK"] ?? [], "wall");
  const lines: string[] = [];
  const addLine = (what: string, sign: "≤" | "≥", goalValue: number | undefined, reached: number): void => {
    if (goalValue === undefined) return;
    const isMet = sign === "≤" ? reached <= goalValue : reached >= goalValue;
    lines.push(`${name}: ${what} ${sign} ${goalValue}: ${reached.toFixed(2)} ${isMet ? "met" : "MISSED"}`);
  };
  addLine("speed relative to the hand-written client", "≥", goal.speed, speed);
  addLine("CPU relative to the hand-written client", "≤", goal.cpu, cpu);
  addLine(`${unit.join(" per ")}`, "≤", goal.wall, wall);
  return lines;
}
