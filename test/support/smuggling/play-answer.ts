// Plays an answer of a hostile app to a client of node:http, whose bytes h11 reads too. Behind it on
// the same connection, and from another client, come requests whose answer is plain.
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { rawBackend, TestBalancer } from '../balancer-server.ts';
import { endOfRequest } from '../recording-backend.ts';
import { pairsOf, type ParsedMessage, type TwoParsers } from '../two-parsers.ts';
import type { AnswerCase, AnswerOutcome } from './answers.ts';

const WAIT_MS = 4_000;
const MIB = 1 << 20;
const PLAIN = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain';

export interface SeenAnswer {
  /** Undefined when the client was cut off before it had all. */
  readonly answer: ParsedMessage | undefined;
  readonly next: string;
  readonly other: string;
  readonly faults: readonly string[];
}

export async function playAnswer(parsers: TwoParsers, one: AnswerCase): Promise<SeenAnswer> {
  const backend = await rawBackend((socket) => answerAsTold(socket, one));
  const balancer = new TestBalancer();
  await balancer.listen();
  balancer.to([backend.upstream]);
  const client = new Client(balancer.port);
  const otherClient = new Client(balancer.port);
  try {
    const answer = await client.ask(one.method ?? 'GET', '/evil');
    // What comes later has come.
    if (one.parts.length > 1) await sleep(20);
    const next = await client.ask('GET', '/next');
    const other = await otherClient.ask('GET', '/other');
    const faults = await client.compare(parsers);
    return { answer, next: next?.body ?? 'cut', other: other?.body ?? 'cut', faults };
  } finally {
    client.close();
    otherClient.close();
    await backend.close();
    await balancer.close();
  }
}

function answerAsTold(socket: Socket, { parts, closes = false, method }: AnswerCase): void {
  let bytes = Buffer.alloc(0);
  let start = 0;
  let told = false;
  socket.setNoDelay(true);
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    const isEvil = bytes.toString('latin1', start, start + 12).includes(' /evil');
    if (isEvil && !told && (method === 'POST' || endOfRequest(bytes, start) !== undefined)) {
      told = true;
      void tell(socket, parts, closes);
    }
    for (
      let end = endOfRequest(bytes, start);
      end !== undefined;
      end = endOfRequest(bytes, start)
    ) {
      if (!bytes.toString('latin1', start, start + 12).includes(' /evil')) socket.write(PLAIN);
      start = end;
    }
  });
}

async function tell(socket: Socket, parts: readonly string[], closes: boolean): Promise<void> {
  for (const part of parts) {
    socket.write(part, 'latin1');
    if (parts.length > 1) await sleep(1);
  }
  if (closes) socket.end();
}

/** One connection at a time; each with all bytes it received, and what node:http made of them. */
class Client {
  readonly #agent: Agent;
  readonly #port: number;
  readonly #tapes: { bytes: Buffer[]; methods: string[]; answers: ParsedMessage[] }[] = [];

  constructor(port: number) {
    this.#port = port;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1 });
    this.#agent.createConnection = () => {
      const socket = connect(port, '127.0.0.1');
      const bytes: Buffer[] = [];
      this.#tapes.push({ bytes, methods: [], answers: [] });
      socket.on('data', (chunk: Buffer) => bytes.push(chunk));
      return socket;
    };
  }

  async ask(method: string, path: string): Promise<ParsedMessage | undefined> {
    const outgoing = request({
      ...{ agent: this.#agent, port: this.#port, method, path, setHost: false },
      headers: { Host: 'a.test', ...(method === 'POST' && { 'Content-Length': MIB }) },
    });
    outgoing.on('socket', () => this.#tapes.at(-1)?.methods.push(method));
    outgoing.on('error', () => undefined);
    outgoing.end(method === 'POST' ? Buffer.alloc(MIB) : undefined);
    const deadline = AbortSignal.timeout(WAIT_MS);
    try {
      const [response] = (await once(outgoing, 'response', { signal: deadline })) as [
        IncomingMessage,
      ];
      const answer = await readAnswer(response, deadline);
      this.#tapes.at(-1)?.answers.push(answer);
      return answer;
    } catch (error) {
      outgoing.destroy();
      if (deadline.aborted) throw new Error(`no end of ${path} in time`, { cause: error });
      return undefined;
    }
  }

  /** Where h11 reads something else than node:http did. */
  async compare(parsers: TwoParsers): Promise<string[]> {
    const faults: string[] = [];
    for (const { bytes, methods, answers } of this.#tapes) {
      const { messages, rest } = await parsers.responses(Buffer.concat(bytes), methods, true);
      const whole = messages.filter(({ whole: isWhole, status = 0 }) => isWhole && status >= 200);
      const [one, other] = [
        JSON.stringify(answers.map(essence)),
        JSON.stringify(whole.map(essence)),
      ];
      if (one !== other) faults.push(`llhttp: ${one}, h11: ${other}`);
      if (rest !== '') faults.push(`behind the answers: ${rest}`);
      faults.push(...answers.flatMap(faultsOf));
    }
    return faults;
  }

  close(): void {
    this.#agent.destroy();
  }
}

async function readAnswer(response: IncomingMessage, signal: AbortSignal): Promise<ParsedMessage> {
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => undefined);
  await once(response, 'close', { signal });
  if (!response.complete) throw new Error('cut');
  return {
    ...{ status: response.statusCode ?? 0, version: response.httpVersion, whole: true },
    headers: pairsOf(response.rawHeaders),
    body: Buffer.concat(chunks).toString('latin1'),
    trailers: pairsOf(response.rawTrailers),
  };
}

const essence = ({ status, headers, body, trailers }: ParsedMessage): unknown => [
  ...[status, body, trailers],
  headers.map(([name, value]) => [
    name,
    name === 'transfer-encoding' ? value.toLowerCase() : value,
  ]),
];

/** What no answer of ours may have. */
function faultsOf({ status = 0, version, headers }: ParsedMessage): string[] {
  const count = (name: string): number => headers.filter(([key]) => key === name).length;
  const framings = count('content-length') + count('transfer-encoding');
  return [
    ...(version === '1.1' ? [] : [`version ${version}`]),
    ...(framings > 1 ? ['framed twice'] : []),
    ...(status === 204 && framings > 0 ? ['204 framed'] : []),
    ...['upgrade', 'te', 'proxy-connection', 'trailers'].filter((name) => count(name) > 0),
  ];
}

export function matchesAnswer(outcome: AnswerOutcome, { answer }: SeenAnswer): boolean {
  if (outcome.kind === 'cut') return answer === undefined;
  if (outcome.kind === 'bad gateway') return answer?.status === 502;
  const { status = 200, body = 'ok', headers = {}, trailers } = outcome.answer;
  const valueOf = (name: string): string | undefined =>
    answer?.headers.find(([key]) => key === name)?.[1];
  return (
    answer?.status === status &&
    answer.body === body &&
    Object.entries(headers).every(([name, value]) => valueOf(name) === value) &&
    (trailers === undefined ||
      JSON.stringify(answer.trailers) === JSON.stringify(Object.entries(trailers)))
  );
}
