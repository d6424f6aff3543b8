// `script/down`: stops an installation in whatever state it is and leaves nothing behind.
import { TandemError } from '@tandem/protocol';
import { DOWN_USAGE, parseDown } from './install/options.ts';
import { runInstaller, say } from './install/run-installer.ts';
import { tearDown } from './install/tear-down.ts';

await runInstaller({ command: 'script/down', usage: DOWN_USAGE }, async () => {
  const options = parseDown(process.argv.slice(2));
  const { found, leftovers } = await tearDown(options, say);
  if (!found) return say(`There is no installation ${options.name}.`);
  if (leftovers.length > 0) {
    throw new TandemError('MACHINE_UNFIT', `Could not remove:\n  ${leftovers.join('\n  ')}`, {
      hint: 'script/down again; what stays then is held by something else.',
    });
  }
  say(`Stopped ${options.name}${options.purge ? ' and deleted its data' : '; its data are kept'}.`);
});
