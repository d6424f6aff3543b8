// `script/up`: from nothing to a healthy platform with an example site; again: repairs what is dead.
import { markOf } from '../adapters/leftovers/mark.ts';
import { bringUp } from './install/bring-up.ts';
import { ensureExampleSite } from './install/example-site.ts';
import { thisCheckout } from './install/machine.ts';
import { memoryTable } from './install/memory-table.ts';
import { DEFAULT_NAME, parseUp, UP_USAGE } from './install/options.ts';
import { report } from './install/report.ts';
import { runInstaller, say } from './install/run-installer.ts';
import { installWrapper } from './install/wrapper.ts';

await runInstaller({ command: 'script/up', usage: UP_USAGE }, async () => {
  const options = parseUp(process.argv.slice(2));
  const checkout = thisCheckout();
  const running = await bringUp(options, { checkout, environment: process.env, say });
  const onPath = options.name === DEFAULT_NAME ? await installWrapper(checkout) : true;
  const exampleUrls = options.example ? (await ensureExampleSite(running, checkout)).urls : [];
  const memory = await memoryTable(markOf(running.installation, running.paths));
  process.stdout.write(`${report({ running, memory, exampleUrls, onPath })}\n`);
});
