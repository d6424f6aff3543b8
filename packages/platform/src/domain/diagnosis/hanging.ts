// The probe was never answered: where the server hangs, from the stack that gunicorn or our own
// configuration of it (gunicorn_conf.py) wrote.
import type { ErrorBody } from '@tandem/protocol';
import type { DiagnosisInput } from './evidence.ts';
import { dumpedStack, lastTraceback, projectWhere } from './traceback.ts';

export function hanging({ symptom, logTail }: DiagnosisInput): ErrorBody | undefined {
  if (symptom?.code !== 'PROBE_TIMEOUT') return undefined;
  const stack = dumpedStack(logTail) ?? abortedWorker(logTail);
  const where = stack && projectWhere(stack);
  return {
    ...symptom,
    where,
    hint: where
      ? 'do not wait there, or only for a bounded time'
      : 'find what the server waits for: a start-up that never ends, a service without a time-out',
  };
}

/** A synchronous worker that gunicorn gave up leaves with the traceback of what it was doing. */
function abortedWorker(log: string) {
  return log.includes('WORKER TIMEOUT') ? lastTraceback(log) : undefined;
}
