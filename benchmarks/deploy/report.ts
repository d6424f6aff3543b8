// The table for people, the document for programs, and the section of the reference.
import { measuredOn, type Machine } from '../machine.ts';
import { markdownTable } from '../markdown-table.ts';
import { median } from '../median.ts';
import { isMet, type Figure } from './figure.ts';

export function reportTable(figures: readonly Figure[]): string {
  const head = ['figure', 'measured', 'bare', 'ratio', 'allowed', 'target', 'met'];
  const rows = figures.map((figure) => [
    figure.name,
    withUnit(median(figure.measured), figure),
    figure.bare ? withUnit(median(figure.bare), figure) : '-',
    figure.bare ? (median(figure.measured) / median(figure.bare)).toFixed(2) : '-',
    withUnit(figure.allowed, figure),
    figure.target,
    isMet(figure) ? 'yes' : 'NO',
  ]);
  return markdownTable(head, rows);
}

export function partsTable(figures: readonly Figure[]): string {
  return figures
    .flatMap(({ name, parts }) => (parts ? [`${name}: ${formatParts(parts)}`] : []))
    .join('\n');
}

export interface Report {
  readonly command: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly figures: readonly Figure[];
}

export function reportDocument({ figures, ...report }: Report): object {
  return {
    ...report,
    measuredAt: new Date().toISOString(),
    figures: figures.map((figure) => ({
      ...figure,
      median: median(figure.measured),
      ...(figure.bare ? { bareMedian: median(figure.bare) } : {}),
      met: isMet(figure),
    })),
  };
}

export function reportSection(report: Report): string {
  const { command, machine, rounds, figures } = report;
  const parts = figures.filter((figure) => figure.parts !== undefined);
  return `## Deploys

\`${command}\` writes this section. It brings up an installation of its own, drives it with the command
line, does the same work by hand beside it, in turns, and prints medians of at most ${rounds} rounds.

${measuredOn(machine)}

${reportTable(figures)}

By hand means: \`collectstatic\`, \`migrate\` and gunicorn until its first answer, from a virtualenv on the
host, with the same number of workers and against the same PostgreSQL.

Where the time goes, in medians:

${parts.map(({ name, unit, parts }) => `- ${name} (${unit}): ${formatParts(parts ?? {})}`).join('\n')}
`;
}

function formatParts(parts: Readonly<Record<string, number>>): string {
  return Object.entries(parts)
    .map(([part, value]) => `${part} ${Math.round(value)}`)
    .join(', ');
}

function withUnit(value: number, { unit }: Figure): string {
  const digits = unit === 'ms' && value < 100 ? 1 : 0;
  return `${value.toFixed(digits)} ${unit}`;
}
