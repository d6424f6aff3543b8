// Plays bytes of a client against a balancer of their own, with a recording app behind it, and says
// what both sides saw.
import { connect } from 'node:net';
import { TestBalancer } from '../balancer-server.ts';
import { RecordingBackend } from '../recording-backend.ts';
import type { Parsed, ParsedMessage, TwoParsers } from '../two-parsers.ts';
import { type ExpectedRequest, type Outcome, PROBE } from './case.ts';

const WAIT_MS = 2_500;

export interface Seen {
  /** Of the answers to the client, but for 1xx. */
  readonly statuses: readonly number[];
  /** By the balancer, in time. */
  readonly closed: boolean;
  /** Bytes that reached the app. */
  readonly reached: number;
  /** Whole requests at the app, in their order. */
  readonly requests: readonly ParsedMessage[];
  /** What is wrong whatever the case: parsers that disagree, heads that must not be. */
  readonly faults: readonly string[];
}

export async function play(
  parsers: TwoParsers,
  bytes: string,
  { endsEarly = false } = {},
): Promise<Seen> {
  const backend = await RecordingBackend.start();
  const balancer = new TestBalancer();
  await balancer.listen();
  const { upstream } = backend;
  const target = { kind: 'upstreams', upstreams: [upstream] } as const;
  balancer.to([upstream], [{ host: 'b.test', path: '/', target }]);
  try {
    const { text, closed } = await speak(balancer.port, bytes, endsEarly);
    const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));
    return {
      statuses: statuses.filter((status) => status >= 200),
      closed,
      reached: backend.connections.reduce((sum, connection) => sum + connection.bytes.length, 0),
      ...(await read(parsers, backend)),
    };
  } finally {
    await backend.close();
    await balancer.close();
  }
}

function speak(
  port: number,
  bytes: string,
  endsEarly: boolean,
): Promise<{ text: string; closed: boolean }> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let text = '';
    const finish = (closed: boolean): void => {
      socket.destroy();
      clearTimeout(timer);
      resolve({ text, closed });
    };
    const timer = setTimeout(() => finish(false), WAIT_MS);
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.on('error', () => undefined).on('end', () => finish(true));
    socket.on('close', () => finish(true));
    if (endsEarly) socket.end(bytes, 'latin1');
    else socket.write(bytes + PROBE, 'latin1');
  });
}

async function read(
  parsers: TwoParsers,
  backend: RecordingBackend,
): Promise<Pick<Seen, 'requests' | 'faults'>> {
  const faults: string[] = [];
  const requests: { order: number; message: ParsedMessage }[] = [];
  for (const connection of backend.connections) {
    const { llhttp, h11 } = await parsers.requests(connection);
    const [one, other] = [wholeOf(llhttp), wholeOf(h11)];
    if (JSON.stringify(one) !== JSON.stringify(other))
      faults.push(`llhttp: ${JSON.stringify(one)}, h11: ${JSON.stringify(other)}`);
    if (llhttp.error !== null) faults.push(`llhttp: ${llhttp.error}`);
    if (h11.error !== null) faults.push(`h11: ${h11.error}`);
    if (one.length !== connection.order.length) faults.push('a request that only we see as whole');
    one.forEach((message, index) =>
      requests.push({ order: connection.order[index] ?? 0, message }),
    );
  }
  const inOrder = requests.sort((a, b) => a.order - b.order).map(({ message }) => message);
  return { requests: inOrder, faults: [...faults, ...inOrder.flatMap(faultsOf)] };
}

/** h11 spells the coding in lower case; that is its only liberty. */
const wholeOf = ({ messages }: Parsed): ParsedMessage[] =>
  messages
    .filter(({ whole }) => whole)
    .map(({ method, target, version, headers, body, trailers }) => ({
      ...{ method, target, version, body, trailers, whole: true },
      headers: headers.map(
        ([name, value]) =>
          [name, name === 'transfer-encoding' ? value.toLowerCase() : value] as const,
      ),
    })) as ParsedMessage[];

const ONCE = ['host', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-request-id'];
const NEVER = ['te', 'keep-alive', 'proxy-connection', 'expect', 'forwarded'];

/** What no request at an app may have, whatever the client said. */
function faultsOf({ version, headers }: ParsedMessage): string[] {
  const valuesOf = (name: string): string[] =>
    headers.filter(([key]) => key === name).map(([, value]) => value);
  const lengths = valuesOf('content-length');
  const codings = valuesOf('transfer-encoding');
  return [
    ...(version === '1.1' ? [] : [`version ${version}`]),
    ...(lengths.length + codings.length > 1 ? ['framed twice'] : []),
    ...codings.filter((coding) => coding !== 'chunked').map((coding) => `coding ${coding}`),
    ...ONCE.filter((name) => valuesOf(name).length !== 1).map((name) => `not one ${name}`),
    ...NEVER.filter((name) => valuesOf(name).length > 0).map((name) => `${name} passed on`),
    ...headers.filter(([name]) => name.includes('_')).map(([name]) => `${name} passed on`),
    ...headers.filter(([, value]) => value.includes('forged')).map(([name]) => `${name} forged`),
    ...valuesOf('upgrade')
      .filter((value) => value !== 'websocket')
      .map((value) => `Upgrade: ${value}`),
    ...valuesOf('connection')
      .filter((value) => !/^(?:keep-alive|close)$/i.test(value))
      .filter((value) => valuesOf('upgrade').length === 0 || value !== 'Upgrade')
      .map((value) => `Connection: ${value}`),
  ];
}

/** Whether this is what `outcome` says; the faults are not its business. */
export function matches(outcome: Outcome, seen: Seen): boolean {
  const { statuses, closed, reached } = seen;
  const requests = seen.requests.filter(({ target }) => target !== '/probe');
  const probed = requests.length < seen.requests.length;
  // In any order: safe requests may be served side by side (RFC 9112 section 9.3.2).
  const all = (expected: readonly ExpectedRequest[]): boolean =>
    requests.length === expected.length &&
    expected.every((one) => requests.some((request) => isAs(request, one)));
  const answered = (count: number): boolean =>
    statuses.length === count && statuses.every((status) => status === 200);
  switch (outcome.kind) {
    case 'refused':
      return (
        closed &&
        !probed &&
        all(outcome.after) &&
        statuses.length === outcome.after.length + 1 &&
        isClientError(statuses.at(-1)) &&
        (outcome.after.length > 0 || reached === 0)
      );
    case 'broken':
      return (
        closed &&
        !probed &&
        requests.length === 0 &&
        statuses.length <= 1 &&
        statuses.every(isClientError)
      );
    case 'turned away':
      return isClientError(statuses[0]) && requests.length === 0;
    case 'passed':
      return probed && closed && all(outcome.requests) && answered(outcome.requests.length + 1);
    case 'closed':
      return !probed && closed && all(outcome.requests) && answered(outcome.requests.length);
  }
}

const isClientError = (status: number | undefined): boolean =>
  status !== undefined && status >= 400 && status < 500;

function isAs(message: ParsedMessage, expected: ExpectedRequest): boolean {
  const { method = 'GET', target = '/', headers = {}, body = '', trailers } = expected;
  const valueOf = (name: string): string | undefined =>
    message.headers.find(([key]) => key === name)?.[1];
  const trailing = Object.entries(trailers ?? {});
  return (
    message.method === method &&
    message.target === target &&
    message.body === body &&
    Object.entries(headers).every(([name, value]) => valueOf(name) === value) &&
    (trailers === undefined || JSON.stringify(message.trailers) === JSON.stringify(trailing))
  );
}
