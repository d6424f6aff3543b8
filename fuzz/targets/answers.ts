// Bytes of an app, through the whole balancer to a client: it gets the answer that they are, or none, and
// the next answer on its connection is the one to its next request.
import type { Socket } from 'node:net';
import { endOfRequest } from '../../test/support/recording-backend.ts';
import { piecesOf, Random } from '../random.ts';
import { answerSeeds } from '../seeds.ts';
import { type Heard, Stage } from '../stage.ts';
import { readAnswer, type ReadMessage, type Reading } from '../strict-reader.ts';
import { claim, type FuzzTarget, latin1 } from '../target.ts';
import { HTTP_WORDS } from '../words.ts';

interface Script {
  readonly pieces: readonly Buffer[];
  readonly closes: boolean;
}

interface Question {
  readonly method: string;
  readonly isHttp10: boolean;
  readonly bytes: Buffer;
}

const PLAIN = 'plain';
const INFORMATION_MAX = 16;

let script: Script = { pieces: [], closes: false };

function answer(socket: Socket): void {
  let bytes = Buffer.alloc(0);
  socket.on('data', (more: Buffer) => {
    bytes = Buffer.concat([bytes, more]);
    for (let end = endOfRequest(bytes, 0); end !== undefined; end = endOfRequest(bytes, 0)) {
      const isEvil = bytes.toString('latin1', 0, 20).includes(' /evil ');
      bytes = bytes.subarray(end);
      if (isEvil) tell(socket, script);
      else socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${PLAIN.length}\r\n\r\n${PLAIN}`);
    }
  });
}

function tell(socket: Socket, { pieces, closes }: Script, index = 0): void {
  const piece = pieces[index];
  if (socket.destroyed) return;
  if (piece === undefined) {
    if (closes) socket.end();
    return;
  }
  socket.write(piece);
  stage.note(1);
  setImmediate(() => setImmediate(() => tell(socket, { pieces, closes }, index + 1)));
}

const stage = await Stage.open({
  limits: { heldAnswerBytesMax: 100, responseBufferBytesMax: 1_000 },
  onUpstream: answer,
});

async function run(input: Buffer): Promise<void> {
  try {
    await playBoth(input, false);
  } catch {
    await playBoth(input, true);
  }
}

async function playBoth(input: Buffer, isPatient: boolean): Promise<void> {
  const random = Random.of(input);
  const question = questionOf(random);
  const closes = random.oneIn(2);
  const expected = answerIn(input.toString('latin1'), question.method, closes);
  for (const pieces of [[input], piecesOf(input, random)]) {
    script = { pieces, closes };
    check(await stage.play([question.bytes], isPatient), question, expected);
  }
}

/** And behind it on the same connection a plain one. */
function questionOf(random: Random): Question {
  const method = random.of(['GET', 'GET', 'HEAD', 'POST']);
  const isHttp10 = random.oneIn(6);
  const fields = `Host: a.test\r\n${isHttp10 ? 'Connection: keep-alive\r\n' : ''}`;
  const body = method === 'POST' ? 'Content-Length: 2\r\n\r\nhi' : '\r\n';
  const first = `${method} /evil HTTP/1.${isHttp10 ? 0 : 1}\r\n${fields}${body}`;
  const second = 'GET /plain HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n';
  return { method, isHttp10, bytes: latin1(first + second) };
}

/** What an app means that sends this. */
function answerIn(text: string, method: string, ended: boolean): Reading<ReadMessage> {
  for (let [at, informations] = [0, 0]; ; informations += 1) {
    const read = readAnswer(text, at, { method, ended });
    if (read.kind !== 'message' || Number(read.first) >= 200) return read;
    // Nobody asked for another protocol.
    if (read.first === '101' || informations === INFORMATION_MAX) return { kind: 'invalid' };
    at = read.end;
  }
}

function check(heard: Heard, { method, isHttp10 }: Question, expected: Reading<ReadMessage>): void {
  const { text, closed } = heard;
  const first = answerIn(text, method, closed && isHttp10);
  if (first.kind !== 'message') {
    claim(first.kind === 'incomplete', 'no beginning of an answer', text);
    // Cut off, or the app has not said all.
    claim(expected.kind !== 'message', 'an answer that does not arrive', text, expected);
    return;
  }
  const rest = text.slice(first.end);
  if (expected.kind === 'message') {
    claim(first.first === expected.first, 'another status', text, expected);
    claim(first.body === expected.body, 'another body', text, expected);
  } else if (first.first !== '502')
    claim(
      isHttp10 && closed && rest === '',
      'half an answer taken for a whole one',
      text,
      expected,
    );
  if (rest === '') return claim(closed, 'an end that is not told', text);
  const second = answerIn(rest, 'GET', false);
  claim(second.kind === 'message', 'no second answer', rest);
  claim(second.body === PLAIN && second.end === rest.length, 'not the answer to the second', rest);
}

export const target: FuzzTarget = {
  ...{ name: 'answers', seeds: answerSeeds('answers'), words: HTTP_WORDS, run },
  close: () => stage.close(),
};
