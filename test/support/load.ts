// A small load generator, a process of its own so that the load does not depend on the test's event
// loop: `load.ts OPTIONS-AS-JSON`. Runs until SIGTERM, lets every request end, prints a LoadReport.
import { Agent, request, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface LoadOptions {
  readonly port: number;
  readonly host: string;
  readonly connections: number;
  /** Each connection goes through them in turn, beginning at a different one. */
  readonly requests: readonly LoadRequest[];
  readonly timeoutMs: number;
  /** Of each connection between two requests: a load that leaves the machine room for other work. */
  readonly pauseMs?: number;
}

export interface LoadRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly expectStatus: readonly number[];
  /** Must be in the answer, so that a half one does not count. */
  readonly expectText?: string;
}

export interface LoadReport {
  readonly requests: number;
  readonly failed: number;
  /** What went wrong, and how often: at most 20 kinds. */
  readonly failures: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  readonly methods: Readonly<Record<string, number>>;
}

const FAILURE_KINDS_MAX = 20;

async function main(options: LoadOptions): Promise<LoadReport> {
  const agent = new Agent({ keepAlive: true, maxSockets: options.connections });
  const failures = new Map<string, number>();
  const methods = new Map<string, number>();
  let requests = 0;
  let slowestMs = 0;
  let ending = false;
  process.once('SIGTERM', () => (ending = true));
  process.stdout.write('started\n');

  const fail = (what: string): void => {
    const kind = failures.size < FAILURE_KINDS_MAX || failures.has(what) ? what : 'others';
    failures.set(kind, (failures.get(kind) ?? 0) + 1);
  };
  const connection = async (first: number): Promise<void> => {
    for (let turn = first; !ending; turn += 1) {
      const next = options.requests[turn % options.requests.length];
      if (!next) return;
      const startedMs = performance.now();
      const problem = await send(agent, options, next).catch((error: Error) => error.message);
      slowestMs = Math.max(slowestMs, performance.now() - startedMs);
      requests += 1;
      methods.set(next.method, (methods.get(next.method) ?? 0) + 1);
      if (problem !== undefined) fail(`${next.method} ${next.path}: ${problem}`);
      if (options.pauseMs !== undefined) await sleep(options.pauseMs);
    }
  };
  await Promise.all(Array.from({ length: options.connections }, (_, index) => connection(index)));
  agent.destroy();
  const failed = [...failures.values()].reduce((sum, count) => sum + count, 0);
  return {
    requests,
    failed,
    failures: Object.fromEntries(failures),
    slowestMs: Math.round(slowestMs),
    methods: Object.fromEntries(methods),
  };
}

/** Undefined when the answer was as expected. */
async function send(
  agent: Agent,
  options: LoadOptions,
  { method, path, headers, body, expectStatus, expectText }: LoadRequest,
): Promise<string | undefined> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request({
      agent,
      method,
      path,
      host: '127.0.0.1',
      port: options.port,
      headers: { host: options.host, ...headers },
      signal: AbortSignal.timeout(options.timeoutMs),
    });
    outgoing.once('response', resolve).once('error', reject);
    outgoing.end(body);
  });
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  if (!response.complete) return 'the answer was cut';
  const text = Buffer.concat(chunks).toString('utf8');
  if (!expectStatus.includes(response.statusCode ?? 0)) {
    return `status ${response.statusCode}: ${text.slice(0, 120)}`;
  }
  if (expectText !== undefined && !text.includes(expectText)) return `without "${expectText}"`;
  return undefined;
}

if (import.meta.main) {
  const options = JSON.parse(process.argv[2] ?? '{}') as LoadOptions;
  process.stdout.write(`${JSON.stringify(await main(options))}\n`);
}
