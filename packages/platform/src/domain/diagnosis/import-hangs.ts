// Importing did not end: a server was started, or something waited for, at the top of a module.
import type { Cause, DiagnosisInput } from './evidence.ts';
import { lastTraceback, projectFrame, projectWhere } from './traceback.ts';

const STARTS_SERVER = /\.run\(|serve\(|serve_forever\(|run_app\(|run_until_complete\(|\.polling\(/;

export function importHangs({ logTail }: DiagnosisInput): Cause | undefined {
  const traceback = lastTraceback(logTail);
  if (traceback?.type !== 'ImportTimeout') return undefined;
  const text = projectFrame(traceback)?.text ?? '';
  const isServer = STARTS_SERVER.test(text);
  return {
    code: 'IMPORT_FAILED',
    message: isServer
      ? 'The project starts its own server while it is imported.'
      : `The project is not imported in time: ${traceback.message.split('\n')[0]}.`,
    where: projectWhere(traceback),
    hint: isServer
      ? 'put it below: if __name__ == "__main__":'
      : 'do what takes long inside the function that needs it, not at the top of a module',
  };
}
