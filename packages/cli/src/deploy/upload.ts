// Collects a folder, packs it and sends it, and tells how far it is. Ctrl-C in the middle gives up:
// the platform throws away what it has of an unfinished upload.
import type { Readable } from 'node:stream';
import { TandemError } from '@tandem/protocol';
import { formatSize, plural } from '../output/quantities.ts';
import type { Session } from '../session.ts';
import { packSource } from '../source/archive.ts';
import { collectSource, type Source } from '../source/collect.ts';
import { assertWithinLimits } from '../source/size-report.ts';

const PROGRESS_MS = 200;

export interface Uploaded<Answer> {
  readonly answer: Answer;
  readonly upload: { readonly files: number; readonly sizeBytes: number; readonly ms: number };
}

export type Send<Answer> = (archive: Readable, signal: AbortSignal) => Promise<Answer>;

export async function uploadFolder<Answer>(
  session: Session,
  folder: string,
  send: Send<Answer>,
  { quiet = false } = {},
): Promise<Uploaded<Answer>> {
  const { output } = session;
  const beganMs = performance.now();
  output.live('Upload', 'looking for files');
  const source = await collectSource(folder);
  assertWithinLimits(source);
  const { answer, sizeBytes } = await sendArchive(session, source, send);
  const ms = Math.round(performance.now() - beganMs);
  if (!quiet)
    output.line('Upload', `${plural(source.files.length, 'file')}, ${formatSize(sizeBytes)}`, ms);
  if (!quiet) tellLeftOut(session, source);
  return { answer, upload: { files: source.files.length, sizeBytes, ms } };
}

async function sendArchive<Answer>(
  session: Session,
  source: Source,
  send: Send<Answer>,
): Promise<{ answer: Answer; sizeBytes: number }> {
  const { output } = session;
  const given = new AbortController();
  using _ctrlC = session.interrupts.take(() => {
    given.abort(
      new TandemError('CANCELLED', 'The upload was interrupted; nothing was changed.', {
        hint: 'tandem deploy',
      }),
    );
  });
  const { stream, progress } = packSource(source);
  const sinceMs = Date.now();
  const timer = setInterval(() => {
    const files = `${progress.files}/${plural(source.files.length, 'file')}`;
    output.live('Upload', `${files}, ${formatSize(progress.sizeBytes)}`, sinceMs);
  }, PROGRESS_MS);
  try {
    return { answer: await send(stream, given.signal), sizeBytes: progress.sizeBytes };
  } finally {
    clearInterval(timer);
    output.settle();
    stream.destroy();
  }
}

function tellLeftOut({ output }: Session, { leftOut, emptySubmodules }: Source): void {
  if (emptySubmodules.length > 0) {
    const names = emptySubmodules.join(', ');
    output.line('', `empty, not checked out: ${names}; git submodule update --init`);
  }
  if (leftOut.length === 0) return;
  output.line('', `left out, not committed: ${leftOut.join(', ')}`);
  if (leftOut.some((path) => /(^|\/)\.env/.test(path))) {
    output.line('', 'variables: tandem config set NAME=VALUE');
  }
}
