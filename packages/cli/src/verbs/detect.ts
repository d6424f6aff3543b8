// `tandem detect`: what a deploy would find in a folder, and why; nothing is built. With --toml as a
// tandem.toml, with -a also what the last build of an app found.
import { access, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { TandemError, type FindingView } from '@tandem/protocol';
import { tellAfterBuild, tellFindings } from '../deploy/tell-findings.ts';
import type { Invocation, Verb } from '../verb.ts';

export const detect: Verb = {
  name: 'detect',
  summary: 'Show what the platform finds in a folder, and why, without deploying it.',
  scope: 'platform',
  args: [['[folder]', 'source folder; default: the current one']],
  options: [
    ['-a, --app <name>', 'show also what the last build of this app found'],
    ['--toml', 'print a tandem.toml that says the same'],
    ['--write', 'with --toml: write it into the folder'],
    ['--force', 'with --write: over the one that is there'],
  ],
  examples: [
    'tandem detect',
    'tandem detect --toml --write',
    'tandem detect -a bakery     # also what the last build found',
  ],
  async run({ session, args: [folder = '.'], options }) {
    const { output } = session;
    const path = resolve(session.io.cwd, folder);
    const target = await targetOf(path, options);
    const { uploadFolder } = await import('../deploy/upload.ts');
    const { client } = await session.connect(path);
    const quiet = options['toml'] === true;
    const { answer } = await uploadFolder(
      session,
      path,
      (archive, signal) => client.detect(archive, signal),
      { quiet },
    );
    const { findings, toml } = answer;
    const { app } = session.common;
    const built = app === undefined ? undefined : await client.listFindings(app);
    output.document({ findings, toml, ...(built === undefined ? {} : { built }) });
    if (target !== undefined) {
      await writeFile(target, toml);
      return output.line('Wrote', target);
    }
    if (quiet) return output.text(toml.trimEnd());
    tellFindings(output, findings);
    if (built === undefined) return tellAfterBuild(output, findings);
    output.text(`\nThe build of v${built.release} of "${app}" found:`);
    tellFindings(output, news(built.findings, findings));
  },
};

/** Refused before anything is uploaded. */
async function targetOf(
  folder: string,
  options: Invocation['options'],
): Promise<string | undefined> {
  if (options['write'] !== true) return undefined;
  if (options['toml'] !== true) {
    throw new TandemError('USAGE', '--write goes with --toml.', {
      hint: 'tandem detect --toml --write',
    });
  }
  const target = join(folder, 'tandem.toml');
  const exists = await access(target).then(
    () => true,
    () => false,
  );
  if (!exists || options['force'] === true) return target;
  throw new TandemError('CONFIRMATION_NEEDED', 'There is a tandem.toml already.', {
    where: target,
    hint: 'tandem detect --toml     (shows it)\ntandem detect --toml --write --force     (replaces it)',
  });
}

function news(built: readonly FindingView[], known: readonly FindingView[]): FindingView[] {
  const told = new Set(known.map((one) => `${one.rule} ${one.value}`));
  return built.filter((one) => !told.has(`${one.rule} ${one.value}`));
}
