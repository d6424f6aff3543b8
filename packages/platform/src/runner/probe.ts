// One HTTP request to an instance, as a visitor of the app would send it.
import type { IncomingHttpHeaders } from 'node:http';
import { request } from '@tandem/protocol/node-http';
import type { ProbeSpec } from '../ports/runner.ts';

export type ProbeOutcome =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly address: string;
      /** Sent to the very address it asked for, which it did ask for over https. */
      readonly redirectsToItself: boolean;
    }
  /** Nobody listens there (yet). */
  | { readonly kind: 'refused' }
  | { readonly kind: 'timeout' }
  /** Accepted, then closed or answered with something that is not HTTP. */
  | { readonly kind: 'broken'; readonly detail: string };

const REFUSED = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL']);

/** Tries the addresses in order and reports the first that is not refused. */
export async function probe(
  spec: ProbeSpec,
  addresses: readonly string[],
  timeoutMs: number,
): Promise<ProbeOutcome> {
  let outcome: ProbeOutcome = { kind: 'refused' };
  for (const address of addresses) {
    outcome = await probeAddress(spec, address, timeoutMs);
    if (outcome.kind !== 'refused') return outcome;
  }
  return outcome;
}

/** 2xx, 3xx, 401, 403 and 404 are signs of life, and so is any 4xx but 400 (a refused Host). */
export function isAlive(status: number): boolean {
  return status < 500 && status !== 400;
}

/** One that sets a cookie may answer otherwise once it is sent back. */
function isLoop({ host, path }: ProbeSpec, status: number, headers: IncomingHttpHeaders): boolean {
  if (status < 300 || status >= 400 || headers['set-cookie'] !== undefined) return false;
  return headers.location === `https://${host}${path}`;
}

async function probeAddress(
  spec: ProbeSpec,
  address: string,
  timeoutMs: number,
): Promise<ProbeOutcome> {
  return await new Promise((resolve) => {
    const attempt = request(
      {
        host: address,
        port: spec.port,
        path: spec.path,
        method: 'GET',
        agent: false,
        headers: {
          Host: spec.host,
          'User-Agent': 'Tandem-Probe',
          Accept: '*/*',
          Connection: 'close',
          'X-Forwarded-Proto': 'https',
          'X-Forwarded-For': '127.0.0.1',
        },
      },
      (response) => {
        response.destroy();
        const status = response.statusCode ?? 0;
        const redirectsToItself = isLoop(spec, status, response.headers);
        finish({ kind: 'answered', status, address, redirectsToItself });
      },
    );
    const timer = setTimeout(() => {
      finish({ kind: 'timeout' });
      attempt.destroy();
    }, timeoutMs);
    const finish = (outcome: ProbeOutcome): void => {
      clearTimeout(timer);
      resolve(outcome);
    };
    attempt.once('error', (error: NodeJS.ErrnoException) => {
      const refused = error.code !== undefined && REFUSED.has(error.code);
      finish(refused ? { kind: 'refused' } : { kind: 'broken', detail: error.message });
    });
    attempt.end();
  });
}
