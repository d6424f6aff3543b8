// `tandem explain`: the true cause of a failed deploy or of a process that does not run, where it
// lies, the smallest change that mends it, and the lines of the log that say so.
import { TandemError, isErrorCode, type Explanation } from '@tandem/protocol';
import { formatFailure } from '../output/failure.ts';
import { indented, printable } from '../output/layout.ts';
import { parseWhole, plural } from '../output/quantities.ts';
import type { Output } from '../output/output.ts';
import type { Verb } from '../verb.ts';
import { parseRelease } from './rollback.ts';

type Cause = NonNullable<Explanation['cause']>;

export const explain: Verb = {
  name: 'explain',
  summary: 'Say why the last deploy failed, or what is wrong with what runs, and what mends it.',
  scope: 'app',
  options: [
    ['--deploy <number>', 'of this deploy'],
    ['--release <release>', 'of this release: v3'],
  ],
  examples: ['tandem explain', 'tandem explain --deploy 7', 'tandem explain --release v3 --json'],
  async run({ session, options }) {
    const { deploy, release } = options;
    if (deploy !== undefined && release !== undefined) {
      throw new TandemError('USAGE', 'Either a deploy or a release is explained.', {
        hint: 'tandem explain --deploy N',
      });
    }
    const about = {
      ...(typeof deploy === 'string'
        ? { deploy: parseWhole(deploy.replace(/^d/, ''), 'The deploy') }
        : {}),
      ...(typeof release === 'string' ? { release: parseRelease(release) } : {}),
    };
    const app = await session.app();
    const explanation = await (await session.client()).explain(app, about);
    session.output.document(explanation);
    tellExplanation(session.output, explanation);
  },
};

export function tellExplanation(output: Output, explanation: Explanation): void {
  const { summary, cause, lines, candidates, processes } = explanation;
  output.text(printable(summary));
  if (cause !== undefined) output.text(printable(formatFailure(errorOf(cause))));
  for (const [index, line] of lines.entries()) {
    output.text(indented(index === 0 ? 'Seen' : '', printable(line), 2));
  }
  for (const candidate of candidates) tellCandidate(output, candidate);
  for (const process of processes) {
    if (process.restarts === 0 && process.state === 'running') continue;
    const restarts = process.restarts === 0 ? '' : `, ${plural(process.restarts, 'restart')}`;
    const reason = process.reason === undefined ? '' : `: ${process.reason}`;
    output.line('Runs', printable(`${process.name} ${process.state}${restarts}${reason}`));
  }
}

function tellCandidate(output: Output, { code, message, where, hint }: Cause): void {
  output.text(printable(indented('Maybe', `${code}: ${message}`)));
  if (where !== undefined) output.text(printable(indented('Where', where, 2)));
  if (hint !== undefined) output.text(printable(indented('Fix', hint, 2)));
}

/** A newer platform may know codes that this CLI does not. */
function errorOf(cause: Cause): TandemError {
  const { code, ...rest } = cause;
  if (isErrorCode(code)) return TandemError.fromBody({ code, ...rest });
  return TandemError.fromBody({ ...rest, code: 'INTERNAL', message: `${code}: ${cause.message}` });
}
