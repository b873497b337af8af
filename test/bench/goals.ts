import type { Case } from "./cases/case.ts";
import type { Samples } from "./measure.ts";
import { ratios, typical } from "./table.ts";

/** What the case has reached of its goals, a line for each. */
export function verdicts(each: Case, samples: Samples): string[] {
  const { name, goal = {}, unit } = each;
  const { speed, cpu } = ratios(samples);
  const wall = typical(each, samples["SDK"] ?? [], "wall");
  const lines: string[] = [];
  const judge = (what: string, sign: "≤" | "≥", wanted: number | undefined, reached: number): void => {
    if (wanted === undefined) return;
    const isMet = sign === "≤" ? reached <= wanted : reached >= wanted;
    lines.push(`${name}: ${what} ${sign} ${wanted}: ${reached.toFixed(2)} ${isMet ? "met" : "MISSED"}`);
  };
  judge("speed, of the hand-written client's,", "≥", goal.speed, speed);
  judge("CPU, of the hand-written client's,", "≤", goal.cpu, cpu);
  judge(`${unit.join(" per ")}`, "≤", goal.wall, wall);
  return lines;
}
