import { ALONE, type Case } from "./cases/case.ts";
import { PEERS } from "./clients.ts";
import { median, type Sample, type Samples } from "./measure.ts";

const COLUMNS = ["SDK", "hand-written", ...PEERS.map(({ name }) => name), ALONE];
const PER_MILLISECOND = { ns: 1e6, µs: 1e3, ms: 1 };

export interface Ratios {
  /** How many times the other one's speed. */
  readonly speed: number;
  /** Which part of the other one's processor time. */
  readonly cpu: number;
}

/** Those of the SDK, turn by turn, so that what the machine did meanwhile cancels out. */
export function ratios({ SDK: sdk = [], "hand-written": other = [] }: Samples): Ratios {
  const pairs = sdk.map((own, turn) => [own, other[turn] as Sample] as const);
  return {
    speed: median(pairs.map(([own, others]) => others.wall / own.wall)),
    cpu: median(pairs.map(([own, others]) => own.cpu / others.cpu)),
  };
}

/** A table in Markdown. */
export function table(results: readonly (readonly [Case, Samples])[]): string {
  const header = ["", ...COLUMNS, "speed", "CPU"];
  const lines = results.map(([each, samples]) => {
    const { speed, cpu } = ratios(samples);
    return [
      `${each.name}, ${each.unit.join("/")}`,
      ...COLUMNS.map((name) => shown(each, samples[name])),
      `${speed.toFixed(2)} ×`,
      each.isLatency ? "" : `${cpu.toFixed(2)} ×`,
    ];
  });
  const rule = header.map((_, column) => (column === 0 ? ":--" : "--:"));
  return [header, rule, ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Each one's best and median wall time, and the same of the processor, for one of what the case is about. */
export function spreads(each: Case, samples: Samples): string[] {
  return Object.entries(samples).map(([name, own]) => {
    const of = (kind: keyof Sample): string =>
      `${figure(typical(each, own, kind, (values) => Math.min(...values)))} … ${figure(typical(each, own, kind))}`;
    const cpu = each.isLatency ? "" : `, CPU ${of("cpu")}`;
    return `${name.padEnd(26)} ${of("wall")} ${each.unit.join("/")}${cpu}`;
  });
}

/** The median, or another choice, for one of what the case is about, in its own unit. */
export function typical(
  { unit, amount }: Case,
  samples: readonly Sample[],
  kind: keyof Sample,
  choose: (values: readonly number[]) => number = median,
): number {
  return (choose(samples.map((sample) => sample[kind])) * PER_MILLISECOND[unit[0]]) / amount;
}

/** Wall and processor time. */
function shown(each: Case, samples: readonly Sample[] | undefined): string {
  if (!samples) return "";
  const wall = figure(typical(each, samples, "wall"));
  return each.isLatency ? wall : `${wall} / ${figure(typical(each, samples, "cpu"))}`;
}

function figure(value: number): string {
  return value.toFixed(value < 1 ? 2 : value < 20 ? 1 : 0);
}
