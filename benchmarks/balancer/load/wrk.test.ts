import { describe, expect, it } from 'vitest';
import { parseWrk } from './wrk.ts';

const OUTPUT = `Running 2s test @ http://127.0.0.1:8080/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.27ms  380.11us   9.04ms   88.15%
    Req/Sec    50.31k     3.02k   54.20k    75.00%
  Latency Distribution
     50%    1.20ms
     75%    1.39ms
     90%    1.61ms
     99%    2.50ms
  100000 requests in 2.01s, 15.93MB read
Requests/sec:  50000.00
Transfer/sec:      7.96MB
`;

describe('what wrk says', () => {
  it('is how many requests in how many seconds, and how slow the slowest were', () => {
    expect(parseWrk(OUTPUT)).toEqual({ operations: 100_000, seconds: 2, p99Ms: 2.5 });
  });

  it('is in the unit that suits the number', () => {
    const p99Ms = (said: string) => parseWrk(OUTPUT.replace('2.50ms', said)).p99Ms;
    expect(p99Ms('850.00us')).toBeCloseTo(0.85);
    // wrk pads short units.
    expect(p99Ms('1.20s ')).toBeCloseTo(1_200);
    expect(p99Ms('2.00m')).toBeCloseTo(120_000);
  });

  it('is an error when an answer was none of success', () => {
    const output = OUTPUT.replace('Requests/sec', '  Non-2xx or 3xx responses: 3\nRequests/sec');
    expect(() => parseWrk(output)).toThrow('Non-2xx or 3xx responses: 3');
  });

  it('is an error when a socket failed', () => {
    const line = '  Socket errors: connect 0, read 7, write 0, timeout 1\n';
    const output = OUTPUT.replace('Requests/sec', `${line}Requests/sec`);
    expect(() => parseWrk(output)).toThrow('read 7');
  });

  it('is an error when nothing was answered or nothing was said', () => {
    const output = OUTPUT.replace('100000 requests', '0 requests');
    expect(() => parseWrk(output)).toThrow('wrk did not');
    expect(() => parseWrk('unable to connect')).toThrow('unable to connect');
  });
});
