// The probe was answered with a server error; the traceback in the log is the cause.
import type { ErrorBody } from '@tandem/protocol';
import type { DiagnosisInput } from './evidence.ts';
import { lastTraceback, projectWhere } from './traceback.ts';

export function serverError({ symptom, logTail }: DiagnosisInput): ErrorBody | undefined {
  if (symptom?.code !== 'PROBE_STATUS') return undefined;
  const traceback = lastTraceback(logTail);
  if (traceback === undefined) {
    return {
      ...symptom,
      hint: 'log the exception: nothing in the log of the process tells why',
    };
  }
  const first = traceback.message.split('\n')[0] ?? '';
  return {
    code: 'PROBE_STATUS',
    message: `${symptom.message}: ${traceback.type}: ${first}`,
    where: projectWhere(traceback),
    hint: 'mend the line and deploy again',
  };
}
