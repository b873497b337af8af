import { type Case, CODEC_ALONE } from "./cases/case.ts";
import { PEERS } from "./clients.ts";
import { median, type Sample, type Samples } from "./measure.ts";

const COLUMNS = ["SDK", "hand-written", ...PEERS.map(({ name }) => name), CODEC_ALONE];
const PER_MILLISECOND = { ns: 1e6, µs: 1e3, ms: 1 };

export interface Ratios {
  /** Speed of the SDK divided by that of the hand-written client. */
  readonly speed: number;
  /** Processor time of the SDK divided by that of the hand-written client. */
  readonly cpu: number;
}

/** Medians of the ratios of each turn, so that other load on the machine cancels out. */
export function ratios({ SDK: sdk = [], "hand-written": other = [] }: Samples): Ratios {
  const pairs = sdk.map((own, turn) => [own, other[turn] as Sample] as const);
  return {
    speed: median(pairs.map(([own, others]) => others.wall / own.wall)),
    cpu: median(pairs.map(([own, others]) => own.cpu / others.cpu)),
  };
}

/** Formats the results as a Markdown table. */
export function table(results: readonly (readonly [Case, Samples])[]): string {
  const header = ["", ...COLUMNS, "speed", "CPU"];
  const lines = results.map(([each, samples]) => {
    const { speed, cpu } = ratios(samples);
    return [
      `${each.name}, ${each.unit.join("/")}`,
      ...COLUMNS.map((name) => cell(each, samples[name])),
      `${speed.toFixed(2)} ×`,
      each.isLatency ? "" : `${cpu.toFixed(2)} ×`,
    ];
  });
  const rule = header.map((_, column) => (column === 0 ? ":--" : "--:"));
  return [header, rule, ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Best and median wall time and processor time of each client, per item. */
export function spreads(each: Case, samples: Samples): string[] {
  return Object.entries(samples).map(([name, own]) => {
    const of = (kind: keyof Sample): string =>
      `${figure(typical(each, own, kind, (values) => Math.min(...values)))} … ${figure(typical(each, own, kind))}`;
    const cpu = each.isLatency ? "" : `, CPU ${of("cpu")}`;
    return `${name.padEnd(26)} ${of("wall")} ${each.unit.join("/")}${cpu}`;
  });
}

/** The median per item, or another statistic, in the unit of the case. */
export function typical(
  { unit, amount }: Case,
  samples: readonly Sample[],
  kind: keyof Sample,
  statistic: (values: readonly number[]) => number = median,
): number {
  return (statistic(samples.map((sample) => sample[kind])) * PER_MILLISECOND[unit[0]]) / amount;
}

/** Wall time and processor time. */
function cell(each: Case, samples: readonly Sample[] | undefined): string {
  if (!samples) return "";
  const wall = figure(typical(each, samples, "wall"));
  return each.isLatency ? wall : `${wall} / ${figure(typical(each, samples, "cpu"))}`;
}

function figure(value: number): string {
  return value.toFixed(value < 1 ? 2 : value < 20 ? 1 : 0);
}
