import { describe, expect, it } from 'vitest';
import { daemonOf } from './memory-table.ts';

describe('daemonOf', () => {
  it.each([
    [
      '/opt/t/.tools/node/bin/node --x /opt/t/packages/platform/dist/daemons/agent.js -i a',
      'agent',
    ],
    ['/opt/t/.tools/node/bin/node /opt/t/packages/platform/dist/daemons/balancer.js', 'balancer'],
    ['nginx: worker process', 'static server (nginx)'],
    ['/usr/sbin/nginx -c /run/x', 'static server (nginx)'],
    ['dnsmasq --keep-in-foreground', 'dns (dnsmasq)'],
    ['/usr/bin/conmon --cid x', 'conmon'],
    ['s6-supervise agent', 'supervisor (s6)'],
    ['sleep 4', 'other'],
  ])('%s', (command, name) => {
    expect(daemonOf(command)).toBe(name);
  });
});
