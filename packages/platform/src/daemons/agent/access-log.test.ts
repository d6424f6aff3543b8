import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { AccessRecord } from '../../ports/route-messages.ts';
import { AccessLog } from './access-log.ts';

const record: AccessRecord = {
  atMs: 0,
  appId: 7,
  host: 'bakery.localhost',
  method: 'GET',
  path: '/bread',
  status: 200,
  bytes: 4,
  durationMs: 12.4,
  upstreamMs: 11,
  instanceId: 'a7-3',
  requestId: 'r1',
  clientIp: '203.0.113.9',
};

it('writes every request, and takes only what an instance answered for a sign of life', async () => {
  const data = await mkdtemp(join(tmpdir(), 'tandem-access-'));
  try {
    const served: string[] = [];
    const log = new AccessLog({ data, run: data, stackCache: data }, (id) => served.push(id));
    const { upstreamMs: _, ...unanswered } = record;
    log.take([
      record,
      { ...record, instanceId: 'a7-4', status: 500 },
      { ...unanswered, instanceId: 'a7-5', status: 499 },
      { ...unanswered, instanceId: 'a7-6', status: 502 },
    ]);
    await log.close();
    expect(served).toEqual(['a7-3', 'a7-4']);
    const text = await readFile(join(data, 'logs/7/router~-~balancer.log'), 'utf8');
    expect(text).toContain('203.0.113.9 GET bakery.localhost/bread 200 4 B 12 ms a7-3 r1');
    expect(text.match(/ 499 /g)).toHaveLength(1);
  } finally {
    await rm(data, { recursive: true });
  }
});
