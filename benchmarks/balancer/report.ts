// The tables for people, the document for programs, and the section of the reference.
import { measuredOn, type Machine } from '../machine.ts';
import { markdownTable } from '../markdown-table.ts';
import { median } from '../median.ts';
import {
  busyOf,
  compare,
  cpuOf,
  judge,
  othersOf,
  valuesOf,
  type Figure,
  type Target,
  type Unit,
} from './figure.ts';

export interface Report {
  readonly command: string;
  readonly machine: Machine;
  /** Of the proxies, by name. */
  readonly versions: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly seconds: number;
  readonly figures: readonly Figure[];
  readonly notMeasured: readonly string[];
}

const DIGITS: Readonly<Record<Unit, number>> = {
  'requests/s': 0,
  'connections/s': 0,
  'messages/s': 0,
  ms: 2,
  MiB: 1,
  KiB: 1,
};

/** One table for each set of participants. */
export function measurementTables(figures: readonly Figure[]): string {
  const groups = Map.groupBy(figures, ({ readings }) => Object.keys(readings).join('|'));
  return [...groups.values()].map(measurementTable).join('\n\n');
}

function measurementTable(figures: readonly Figure[]): string {
  const names = Object.keys(figures[0]?.readings ?? {});
  const rows = figures.flatMap((figure) => {
    const values = names.map((name) => median(valuesOf(figure, name)).toFixed(DIGITS[figure.unit]));
    const whole = [`${figure.name}: ${figure.unit}`, ...values];
    if (names.some((name) => cpuOf(figure, name).length === 0)) return [whole];
    const cpu = names.map((name) => median(cpuOf(figure, name)).toFixed(1));
    const busy = names.map((name) => percent(busyOf(figure, name)));
    const others = names.map((name) => percent(othersOf(figure, name)));
    return [
      whole,
      ['- CPU µs of the proxy for each', ...cpu],
      ['- its core, used by it', ...busy],
      ['- its core, used by others', ...others],
    ];
  });
  return markdownTable(['median', ...names], rows);
}

export function targetTable(figures: readonly Figure[]): string {
  const head = ['figure', 'against', 'ratio', 'per CPU second', 'target', 'decided by', 'met'];
  const rows = figures.flatMap((figure) => [
    ...figure.targets.map((target) => targetRow(figure, target)),
    ...otherRows(figure),
  ]);
  return markdownTable(head, rows);
}

function targetRow(figure: Figure, target: Target): string[] {
  const { rival, measured, perCpu, decidedBy, isMet } = judge(figure, target);
  const text = rival === undefined ? withUnit(measured, figure) : measured.toFixed(2);
  const cpu = perCpu?.toFixed(2) ?? '-';
  const how = perCpu === undefined ? '-' : decidedBy === 'value' ? 'throughput' : decidedBy;
  const met = isMet ? 'yes' : 'NO';
  return [figure.name, rival ?? '-', text, cpu, formatTarget(target, figure), how, met];
}

/** Those no target names: for the reader. */
function otherRows(figure: Figure): string[][] {
  const [one] = figure.targets.filter((target) => 'against' in target);
  if (!one) return [];
  const told = figure.targets.flatMap((target) => {
    const { rival } = judge(figure, target);
    return rival === undefined ? [] : [rival];
  });
  const others = Object.keys(figure.readings).filter(
    (name) => name !== one.of && !told.includes(name),
  );
  return others.map((name) => {
    const { measured, perCpu } = compare(figure, one.of, name);
    return [figure.name, name, measured.toFixed(2), perCpu?.toFixed(2) ?? '-', '-', '-', '-'];
  });
}

function formatTarget(target: Target, figure: Figure): string {
  if (!('against' in target)) return `<= ${withUnit(target.atMost, figure)}`;
  const rivals = target.against.join(' and ');
  const whom = target.against.length > 1 ? `the better of ${rivals}` : rivals;
  return target.atLeast === undefined
    ? `<= ${target.atMost} x ${whom}`
    : `>= ${target.atLeast} x ${whom}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)}%`;
}

function withUnit(value: number, { unit }: Figure): string {
  return `${value.toFixed(DIGITS[unit])} ${unit}`;
}

export function reportDocument({ figures, ...report }: Report): object {
  return {
    ...report,
    measuredAt: new Date().toISOString(),
    figures: figures.map((figure) => ({
      ...figure,
      verdicts: figure.targets.map((target) => ({ ...target, ...judge(figure, target) })),
    })),
  };
}

export function reportSection(report: Report): string {
  const { command, machine, versions, rounds, seconds, figures, notMeasured } = report;
  const who = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `## Balancer

\`${command}\` writes this section. Each proxy has one worker on one core; load and backend share
another. They take turns: a warm-up, then ${seconds} s of load, ${rounds} rounds; figures are medians, ratios the
medians of the ratios within a round. Everyone forwards X-Forwarded-For, -Proto and -Host, gives the
request an id and writes a line of access log; the bare ones only forward. Where a proxy had less
than nine tenths of its core, something else was the limit (load, backend, other processes of the
machine), and what it does per CPU second decides. Slices wait for a gap in other work, for a minute a
figure at most.

${measuredOn(machine)}
${who.join(', ')}.

${measurementTables(figures)}

${targetTable(figures)}

Not measured:

${notMeasured.map((what) => `- ${what}`).join('\n')}
`;
}
