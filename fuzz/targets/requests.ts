// Bytes of a client, through the whole balancer to an app that records what it gets: in one piece, and
// in many. Nothing reaches the app that three readers do not read alike, nothing the client did not
// ask, and how the bytes are cut changes nothing.
import type { Socket } from 'node:net';
import { endOfRequest } from '../../test/support/recording-backend.ts';
import { PROBE } from '../../test/support/smuggling/case.ts';
import { readByLlhttp } from '../llhttp.ts';
import { piecesOf, Random } from '../random.ts';
import { requestSeeds } from '../seeds.ts';
import { type Heard, Stage } from '../stage.ts';
import { readAnswer, type ReadMessage, readRequest } from '../strict-reader.ts';
import { claim, type FuzzTarget, latin1 } from '../target.ts';
import { HTTP_WORDS } from '../words.ts';

interface Recorded {
  bytes: Buffer;
  /** Of the first request that is not whole yet. */
  start: number;
  readonly pieces: string[];
}

interface Outcome {
  readonly answers: readonly ReadMessage[];
  readonly closed: boolean;
  /** Whole requests at the app, in their order. */
  readonly requests: readonly ReadMessage[];
}

/** Those of a client, and ours. */
const FIELDS_MAX = 128 + 10;

let connections: Recorded[] = [];
/** Whole requests of all connections, as they came. */
let arrived: string[] = [];

function record(socket: Socket): void {
  const recorded: Recorded = { bytes: Buffer.alloc(0), start: 0, pieces: [] };
  connections.push(recorded);
  socket.on('data', (bytes: Buffer) => {
    recorded.bytes = Buffer.concat([recorded.bytes, bytes]);
    for (;;) {
      const end = endOfRequest(recorded.bytes, recorded.start);
      if (end === undefined) return;
      const request = recorded.bytes.toString('latin1', recorded.start, end);
      recorded.pieces.push(request);
      arrived.push(request);
      recorded.start = end;
      const body = request.startsWith('HEAD ') ? '' : String(arrived.length);
      const length = String(arrived.length).length;
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n${body}`);
    }
  });
}

const stage = await Stage.open({
  // Small enough to be met.
  limits: { headBytesMax: 1_500, smallBodyBytesMax: 64, pipelinedBytesMax: 512 },
  onUpstream: record,
});

async function run(input: Buffer): Promise<void> {
  try {
    await playBoth(input, false);
  } catch {
    // Once more with time: not what a busy machine did is looked for.
    await playBoth(input, true);
  }
}

async function playBoth(input: Buffer, isPatient: boolean): Promise<void> {
  const bytes = Buffer.concat([input, latin1(PROBE)]);
  const asked = requestsIn(bytes.toString('latin1'));
  const whole = await play([bytes], asked, isPatient);
  await readByThree();
  const parts = await play(piecesOf(bytes, Random.of(input)), asked, isPatient);
  compare(whole, parts);
}

/** Up to the first that is none. */
function requestsIn(text: string): ReadMessage[] {
  const requests: ReadMessage[] = [];
  for (let at = 0; at < text.length;) {
    const request = readRequest(text, at);
    if (request.kind !== 'message') break;
    requests.push(request);
    at = request.end;
  }
  return requests;
}

async function play(
  pieces: readonly Buffer[],
  asked: readonly ReadMessage[],
  isPatient: boolean,
): Promise<Outcome> {
  connections = [];
  arrived = [];
  const heard = await stage.play(pieces, isPatient);
  const requests = arrived.map((text) => {
    const request = readRequest(text, 0, FIELDS_MAX);
    claim(request.kind === 'message' && request.end === text.length, 'no request at the app', text);
    return request;
  });
  claimAsked(requests, asked);
  return { answers: answersIn(heard, asked), closed: heard.closed, requests };
}

/** Each request at the app is one that the client asked, in that order; some are answered by us. */
function claimAsked(requests: readonly ReadMessage[], asked: readonly ReadMessage[]): void {
  let index = 0;
  for (const request of requests) {
    while (index < asked.length && !isSame(request, asked[index] as ReadMessage)) index += 1;
    claim(index < asked.length, 'a request that nobody asked', request, asked);
    index += 1;
  }
}

function isSame(request: ReadMessage, asked: ReadMessage): boolean {
  const path = asked.second.replace(/^https?:\/\/[^/?]*/i, '');
  return (
    request.first === asked.first && request.second.endsWith(path) && request.body === asked.body
  );
}

/** One for each request, and one more for what is none. */
function answersIn({ text, closed }: Heard, asked: readonly ReadMessage[]): ReadMessage[] {
  const answers: ReadMessage[] = [];
  for (let at = 0; at < text.length;) {
    const method = asked[answers.length]?.first ?? 'GET';
    let answer = readAnswer(text, at, { method, ended: closed });
    // What we refuse may have been a HEAD all the same.
    if (answer.kind !== 'message') answer = readAnswer(text, at, { method: 'HEAD', ended: closed });
    claim(answer.kind === 'message', 'no answer', text.slice(at), answer);
    at = answer.end;
    if (Number(answer.first) >= 200) answers.push(answer);
  }
  claim(answers.length <= asked.length + 1, 'more answers than requests', text);
  return answers;
}

/** What the app received, on each connection. */
async function readByThree(): Promise<void> {
  for (const { bytes, start, pieces } of connections) {
    const rest = bytes.toString('latin1', start);
    claim(
      readRequest(rest, 0, FIELDS_MAX).kind !== 'invalid' || rest === '',
      'no beginning of a request',
      rest,
    );
    const { requests, error } = await readByLlhttp([...pieces, ...(rest === '' ? [] : [rest])]);
    claim(
      error === undefined,
      'llhttp refuses what was passed on',
      error,
      bytes.toString('latin1'),
    );
    const whole = requests.filter(({ isWhole }) => isWhole);
    claim(whole.length === pieces.length, 'llhttp reads other requests', requests, pieces);
    pieces.forEach((piece, index) => {
      const read = readRequest(piece, 0, FIELDS_MAX);
      claim(
        read.kind === 'message' && read.body === whole[index]?.body,
        'another body',
        piece,
        whole,
      );
    });
  }
}

/** What is answered before its end was read may be followed by less. */
function compare(whole: Outcome, parts: Outcome): void {
  const isRefusal = ({ first }: ReadMessage): boolean => first.startsWith('4');
  const [one, other] = [whole, parts].map(({ answers }) => {
    const refused = answers.findIndex(isRefusal);
    return (refused < 0 ? answers : answers.slice(0, refused + 1)).map((answer) =>
      isRefusal(answer) ? 'refused' : `${answer.first} ${answer.body}`,
    );
  });
  claim(JSON.stringify(one) === JSON.stringify(other), 'other pieces, other answers', one, other);
  const isAnyRefused = one?.at(-1) === 'refused';
  const length = isAnyRefused ? Math.min(whole.requests.length, parts.requests.length) : Infinity;
  const [these, those] = [whole, parts].map(({ requests }) =>
    requests.slice(0, length).map(({ first, second, body, trailers }) => {
      return [first, second, body, trailers].join(' ');
    }),
  );
  claim(
    JSON.stringify(these) === JSON.stringify(those),
    'other pieces, other requests',
    these,
    those,
  );
  if (!isAnyRefused) claim(whole.closed === parts.closed, 'other pieces, another end');
}

export const target: FuzzTarget = {
  ...{ name: 'requests', seeds: requestSeeds('requests'), words: HTTP_WORDS, run },
  close: () => stage.close(),
};
