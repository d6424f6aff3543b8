import { describe, expect, it } from 'vitest';
import type { Figure } from './figure.ts';
import { measurementTables, targetTable } from './report.ts';

const reading = (value: number, cpuUs: number) => ({ value, cpuUs, busy: 0.99, others: 0.01 });

const SMALL: Figure = {
  name: 'small',
  unit: 'requests/s',
  readings: { Tandem: [reading(900, 22)], nginx: [reading(1_000, 20)], Caddy: [reading(100, 99)] },
  targets: [{ of: 'Tandem', against: ['nginx'], atLeast: 0.95 }],
};

const MEMORY: Figure = {
  name: 'idle',
  unit: 'MiB',
  readings: { Tandem: [{ value: 59.96 }] },
  targets: [{ of: 'Tandem', atMost: 60 }],
};

/** Without the padding. */
const cells = (table: string) =>
  table.split('\n').map((line) =>
    line
      .split('|')
      .map((cell) => cell.trim())
      .join('|'),
  );

describe('the report', () => {
  it('has a table for each set of participants, with CPU time where it was counted', () => {
    const [first, second] = measurementTables([SMALL, MEMORY]).split('\n\n').map(cells);
    expect(first).toContain('|median|Tandem|nginx|Caddy|');
    expect(first).toContain('|small: requests/s|900|1000|100|');
    expect(first).toContain('|- CPU µs of the proxy for each|22.0|20.0|99.0|');
    expect(first).toContain('|- its core, used by others|1%|1%|1%|');
    expect(second).toContain('|idle: MiB|60.0|');
    expect(second).toHaveLength(3);
  });

  it('says of each target whether it is met, and how those compare that no target names', () => {
    const lines = cells(targetTable([SMALL, MEMORY]));
    expect(lines).toContain('|small|nginx|0.90|0.91|>= 0.95 x nginx|throughput|NO|');
    expect(lines).toContain('|small|Caddy|9.00|4.50|-|-|-|');
    expect(lines).toContain('|idle|-|60.0 MiB|-|<= 60.0 MiB|-|yes|');
  });
});
