// The head of an answer, as strictly as that of a request.
import { INCOMPLETE } from '../../packages/platform/src/balancer/http1/field-scanner.ts';
import { ResponseHeadReader } from '../../packages/platform/src/balancer/http1/response-head.ts';
import { Random } from '../random.ts';
import { answerSeeds } from '../seeds.ts';
import { readAnswerHead, requestFraming } from '../strict-reader.ts';
import { claim, type FuzzTarget, latin1 } from '../target.ts';
import { HTTP_WORDS } from '../words.ts';

const reader = new ResponseHeadReader();
const PREFIXES = 8;
const NEVER_PASSED =
  /^(?:transfer-encoding|connection|upgrade|keep-alive|proxy-connection|trailer|te)$/;

function run(input: Buffer): void {
  const random = Random.of(input);
  const method = random.of(['GET', 'HEAD', 'POST']);
  const read = (bytes: Buffer): number => reader.read(bytes, 0, bytes.length, method);
  const end = read(input);
  const other = readAnswerHead(input.toString('latin1'), 0);
  if (end > 0) {
    claim(other.kind === 'message', 'taken, and no answer for the other reader', end, other.kind);
    claim(other.end === end, 'two ends of one head', end, other.end);
    const { head } = reader;
    claim(String(head.status) === other.first, 'two statuses', head.status, other.first);
    const isBodiless = method === 'HEAD' || head.status < 200 || [204, 304].includes(head.status);
    const framing = requestFraming(other);
    if (isBodiless) claim(head.body.kind === 'none', 'a body where none can be', head.body);
    else if (framing === 'none')
      claim(head.body.kind === 'close', 'a body out of nothing', head.body);
    else if (framing === 'chunked') claim(head.body.kind === 'chunked', 'not chunked', head.body);
    else claim(head.body.kind === 'length' && head.body.bytes === framing, 'lengths', head.body);
    const again = readAnswerHead(`${head.lead}\r\n`, 0);
    claim(again.kind === 'message', 'a head that cannot be read again', head);
    for (const [name] of again.fields)
      claim(!NEVER_PASSED.test(name.toLowerCase()), 'a field that must stay behind', name);
  } else if (other.kind === 'message') claim(false, 'refused, and an answer for the other', end);
  const shifted = Buffer.concat([latin1('##'), input, latin1('##')]);
  const at = reader.read(shifted, 2, input.length + 2, method);
  claim(at === (end > 0 ? end + 2 : end), 'another end at another place', end, at);
  for (let n = 0; n < PREFIXES; n += 1) {
    const length = random.below(input.length + 1);
    const early = read(input.subarray(0, length));
    const isDecided = early !== INCOMPLETE;
    if (end > 0) claim(length < end ? !isDecided : early === end, 'decided too early', end, early);
    else if (isDecided)
      claim(end < INCOMPLETE && early < INCOMPLETE, 'refused, then taken', early, end);
  }
}

export const target: FuzzTarget = {
  ...{ name: 'response-head', seeds: answerSeeds(), words: HTTP_WORDS, run },
};
