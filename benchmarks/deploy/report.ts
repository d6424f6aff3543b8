// The table for people and the document for programs.
import { cpus, release, totalmem } from 'node:os';
import { isMet, median, type Figure } from './figure.ts';

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
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

export function partsTable(figures: readonly Figure[]): string {
  return figures
    .flatMap(({ name, parts }) => (parts ? [`${name}: ${formatParts(parts)}`] : []))
    .join('\n');
}

export function reportDocument(figures: readonly Figure[], command: string): object {
  return {
    command,
    measuredAt: new Date().toISOString(),
    machine: {
      cores: cpus().length,
      memoryMiB: Math.round(totalmem() / 1024 / 1024),
      kernel: release(),
      node: process.version,
    },
    figures: figures.map((figure) => ({
      ...figure,
      median: median(figure.measured),
      ...(figure.bare ? { bareMedian: median(figure.bare) } : {}),
      met: isMet(figure),
    })),
  };
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
