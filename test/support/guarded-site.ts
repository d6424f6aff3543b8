// An app behind a balancer in this process, with a policy before it. Ends with the test.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import type { RoutePolicy } from '../../packages/platform/src/domain/route-policy.ts';
import {
  type Answer,
  ask,
  type Ask,
  type Backend,
  httpBackend,
  TestBalancer,
  type TestBalancerOptions,
} from './balancer-server.ts';

export type Respond = (request: IncomingMessage, response: ServerResponse) => void;

export async function newBalancer(options?: TestBalancerOptions): Promise<TestBalancer> {
  const balancer = new TestBalancer(options);
  onTestFinished(() => balancer.close());
  await balancer.listen();
  return balancer;
}

export async function newBackend(respond: Respond): Promise<Backend> {
  const backend = await httpBackend(respond);
  onTestFinished(() => backend.close());
  return backend;
}

/** Tells what reached it. */
export const echo: Respond = (request, response) => {
  let bodyBytes = 0;
  request.on('data', (chunk: Buffer) => (bodyBytes += chunk.length));
  request.on('end', () => {
    const { method, url, headers } = request;
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ method, url, headers, bodyBytes }));
  });
};

interface Setting {
  readonly policy: RoutePolicy;
  readonly respond?: Respond;
  readonly options?: TestBalancerOptions;
}

export async function guarded({ policy, respond = echo, options }: Setting) {
  const balancer = await newBalancer(options);
  const backend = await newBackend(respond);
  balancer.guard([backend.upstream], policy);
  return {
    ...{ balancer, backend },
    ask: (what?: Ask): Promise<Answer> => ask(balancer.port, what),
    change: (other: RoutePolicy) => balancer.guard([backend.upstream], other),
  };
}

/** The test itself is a proxy that is believed. */
export const BEHIND_PROXY: TestBalancerOptions = { trustedPeers: ['127.0.0.1'] };

export const from = (ip: string, headers: Record<string, string> = {}): Ask => ({
  headers: { 'X-Forwarded-For': ip, ...headers },
});
