// The head of a request: the balancer and the other reader take the same, and find the same in it.
import { INCOMPLETE } from '../../packages/platform/src/balancer/http1/field-scanner.ts';
import {
  type RequestHead,
  RequestHeadReader,
} from '../../packages/platform/src/balancer/http1/request-head.ts';
import { Random } from '../random.ts';
import { requestSeeds } from '../seeds.ts';
import { type ReadHead, readRequestHead, requestFraming } from '../strict-reader.ts';
import { claim, type FuzzTarget, latin1 } from '../target.ts';
import { HTTP_WORDS } from '../words.ts';

const reader = new RequestHeadReader();
const PREFIXES = 8;
/** What must never go on under any spelling. */
const NEVER_PASSED =
  /^(?:host|content-length|transfer-encoding|connection|upgrade|expect|te|trailer|keep-alive|proxy-(?:connection|authenticate|authorization)|forwarded|x-forwarded-.*|x-tandem-.*|x-real-ip|x-request-id|[^:]*_.*)$/;

const endOf = (bytes: Buffer): number => reader.read(bytes, 0, bytes.length);

function run(input: Buffer): void {
  const end = endOf(input);
  const other = readRequestHead(input.toString('latin1'), 0);
  if (end > 0) {
    claim(other.kind === 'message', 'taken, and no request for the other reader', end, other.kind);
    claim(other.end === end, 'two ends of one head', end, other.end);
    compare(reader.head, other);
    readAgain(reader.head);
  } else if (other.kind === 'message') claim(false, 'refused, and a request for the other', end);
  readInParts(input, end);
}

function compare(head: RequestHead, other: ReadHead): void {
  claim(head.method === other.first, 'two methods', head.method, other.first);
  claim(head.isHttp10 === other.isHttp10, 'two versions', other);
  const framing = requestFraming(other);
  const { body } = head;
  const length = body.kind === 'length' ? body.bytes : 0;
  if (framing === 'chunked') claim(body.kind === 'chunked', 'a body that is not chunked', body);
  else
    claim(
      body.kind !== 'chunked' && length === (framing === 'none' ? 0 : framing),
      'two lengths',
      body,
    );
  const [, path = other.second] = /^https?:\/\/[^/?]*(.*)$/i.exec(other.second) ?? [];
  claim(head.target.endsWith(path), 'another target', head.target, other.second);
  claim(
    head.target.startsWith('/') || head.target === '*',
    'a target that is no path',
    head.target,
  );
}

/** What goes on is a head that reads the same again, and holds nothing that only we may say. */
function readAgain(head: RequestHead): void {
  const again = readRequestHead(`${head.lead}\r\n`, 0);
  claim(again.kind === 'message', 'fields that cannot be read again', head.lead);
  for (const [name] of again.fields.slice(1))
    claim(!NEVER_PASSED.test(name.toLowerCase()), 'a field that must stay behind', name);
}

/** More bytes never change what fewer have decided; and where the bytes lie does not matter. */
function readInParts(input: Buffer, end: number): void {
  const random = Random.of(input);
  const shifted = Buffer.concat([latin1('##'), input, latin1('##')]);
  const at = reader.read(shifted, 2, input.length + 2);
  claim(at === (end > 0 ? end + 2 : end), 'another end at another place', end, at);
  for (let n = 0; n < PREFIXES; n += 1) {
    const length = random.below(input.length + 1);
    const early = endOf(input.subarray(0, length));
    const isDecided = early !== INCOMPLETE;
    if (end > 0) claim(length < end ? !isDecided : early === end, 'decided too early', end, early);
    else if (isDecided)
      claim(end < INCOMPLETE && early < INCOMPLETE, 'refused, then taken', early, end);
  }
}

export const target: FuzzTarget = {
  ...{ name: 'request-head', seeds: requestSeeds(), words: HTTP_WORDS, run },
};
