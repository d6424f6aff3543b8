// What a client is told of a request that is no valid HTTP.
import * as refusal from '../refusal.ts';
import { BODY_TOO_LONG } from '../request-body.ts';
import { Fault } from './field-scanner.ts';

export function requestProblem(fault: number): refusal.Refusal {
  if (fault === BODY_TOO_LONG) return refusal.bodyTooLarge;
  if (fault === Fault.tooMany) return refusal.headTooLarge;
  return refusal.badRequest(PROBLEMS[fault] ?? 'The request is not valid HTTP.');
}

const PROBLEMS: Readonly<Record<number, string>> = {
  [Fault.contentLength]: 'The Content-Length of the request is not one number.',
  [Fault.transferCoding]:
    'The only transfer coding understood is "chunked", alone and without Content-Length.',
  [Fault.host]: 'The request needs exactly one Host header.',
  [Fault.method]: 'This server is no forward proxy.',
  [Fault.target]: 'The request target is not a path.',
  [Fault.version]: 'The version of HTTP is neither 1.1 nor 1.0.',
};
