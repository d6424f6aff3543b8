// How requests of acme-client reach the certificate authority: over our own HTTPS exchange instead of
// the library's, which waits for as long as a Retry-After says, forgets what kind of problem was
// answered, and trusts one set of certificates for the whole process. Here an error answer becomes a
// TandemError at once; whoever ordered decides when to come back.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage } from 'node:http';
import { request, type Agent } from 'node:https';
import { TandemError } from '@tandem/protocol';
import type * as acmeClient from 'acme-client';
import { LIMITS } from '../../domain/limits.ts';
import { isBadNonce, problemError, readProblem, unreachable } from './problem.ts';

export interface Channel {
  readonly agent: Agent;
  readonly signal: AbortSignal;
}

type Acme = typeof acmeClient;
type Adapter = Extract<Acme['axios']['defaults']['adapter'], (...args: never[]) => unknown>;
type AdapterRequest = Parameters<Adapter>[0];
type AdapterAnswer = Awaited<ReturnType<Adapter>>;

const ANSWER_BYTES_MAX = 1024 * 1024;

const channels = new AsyncLocalStorage<Channel>();
let loading: Promise<Acme> | undefined;

/** Loaded when the first certificate is ordered: it costs some megabytes of memory. */
export function loadAcme(): Promise<Acme> {
  loading ??= import('acme-client').then((module) => {
    // A CommonJS module: its names lie below `default`, some of them only there.
    const acme = (module as unknown as { default: Acme }).default;
    acme.axios.defaults.adapter = exchange;
    return acme;
  });
  return loading;
}

/** Whatever of acme-client `work` calls speaks over this channel. */
export function speakingOver<T>(channel: Channel, work: () => Promise<T>): Promise<T> {
  return channels.run(channel, work);
}

const exchange: Adapter = async (asked) => {
  const channel = channels.getStore();
  if (!channel) throw new TandemError('INTERNAL', 'a request of ACME outside of an order');
  const url = asked.url ?? '';
  const response = await send(url, asked, channel);
  const text = await readText(response, url);
  const status = response.statusCode ?? 0;
  const problem = status < 400 ? undefined : readProblem(status, text, response.headers);
  // The library answers this one itself, with the fresh nonce that came with it.
  if (problem && !isBadNonce(problem)) throw problemError(problem, url);
  return {
    data: text,
    status,
    statusText: response.statusMessage ?? '',
    headers: response.headers as AdapterAnswer['headers'],
    config: asked,
  };
};

function send(url: string, asked: AdapterRequest, channel: Channel): Promise<IncomingMessage> {
  const timeout = AbortSignal.timeout(LIMITS.certificates.requestTimeoutMs);
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      if (channel.signal.aborted) reject(channel.signal.reason as Error);
      else reject(unreachable(url, timeout.aborted ? new Error('no answer in time') : error));
    };
    if (!URL.canParse(url) || new URL(url).protocol !== 'https:') {
      return fail(new Error('not an https URL'));
    }
    const body = asked.data === undefined ? undefined : String(asked.data);
    const outgoing = request(url, {
      method: (asked.method ?? 'get').toUpperCase(),
      headers: {
        ...(asked.headers.toJSON() as Record<string, string>),
        ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
      },
      agent: channel.agent,
      signal: AbortSignal.any([channel.signal, timeout]),
    });
    outgoing.once('response', resolve);
    outgoing.once('error', fail);
    outgoing.end(body);
  });
}

/** Ends with the request's signal, too: the answer is destroyed with it. */
async function readText(response: IncomingMessage, url: string): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length;
      if (sizeBytes > ANSWER_BYTES_MAX) throw new Error('the answer is over 1 MiB');
      chunks.push(chunk);
    }
  } catch (error) {
    throw unreachable(url, error);
  }
  return Buffer.concat(chunks).toString('utf8');
}
