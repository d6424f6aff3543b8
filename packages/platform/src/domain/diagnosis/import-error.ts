// What an import or attribute error is about, and who asked: the words of Python, as data.
import { projectFrame, type Frame, type Traceback } from './traceback.ts';

export interface AbsentName {
  readonly module: string;
  readonly name: string;
  readonly isPartial: boolean;
}

const PACKAGE = /\/(?:site|dist)-packages\/([^/]+?)(?:\.py)?(?:\/|$)/;
/** Only carries an import on, so it never is the one who asked. */
const CARRIERS = /<frozen |\/importlib\/|\/lib\/python3\.\d+\/(?!(?:site|dist)-packages)/;

export function absentModule({ message, type }: Traceback): string | undefined {
  if (type !== 'ModuleNotFoundError' && type !== 'ImportError') {
    // Re-raised in the words of a library, the original ones inside.
    return /No module named '?([\w.]+)'?/.exec(message)?.[1];
  }
  return /^No module named '([^']+)'/.exec(message)?.[1];
}

/** `cannot import name 'X' from 'a.b'`, or `module 'a.b' has no attribute 'X'`. */
export function absentName({ message }: Traceback): AbsentName | undefined {
  const [, imported, partial, from] =
    /cannot import name '([^']+)' from (partially initialized module )?'([^']+)'/.exec(message) ??
    [];
  if (imported !== undefined && from !== undefined) {
    return { module: from, name: imported, isPartial: partial !== undefined };
  }
  const [, half, owner, name] =
    /(partially initialized )?module '([^']+)' has no attribute '([^']+)'/.exec(message) ?? [];
  if (owner === undefined || name === undefined) return undefined;
  return { module: owner, name, isPartial: half !== undefined };
}

/** The installed package whose line failed, when it is not the project's own. */
export function guiltyPackage(traceback: Pick<Traceback, 'frames'>): string | undefined {
  const frame = lastOwnFrame(traceback);
  return frame === undefined || frame.file.startsWith('/app/') ? undefined : packageOf(frame);
}

export function packageOf({ file }: Pick<Frame, 'file'>): string | undefined {
  return PACKAGE.exec(file)?.[1];
}

/** Whether the line that failed is the project's. */
export function isProjectLine(traceback: Traceback): boolean {
  const last = lastOwnFrame(traceback);
  const own = projectFrame(traceback);
  return own !== undefined && last !== undefined && last.file.endsWith(own.file);
}

function lastOwnFrame({ frames }: Pick<Traceback, 'frames'>): Frame | undefined {
  return frames.findLast((frame) => !CARRIERS.test(frame.file));
}
