// `tandem open`: the address of an app, in a browser when there is one.
import { spawn } from 'node:child_process';
import { TandemError } from '@tandem/protocol';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';

export const open: Verb = {
  name: 'open',
  summary: 'Print the address of an app, and open it in a browser when there is one.',
  scope: 'app',
  async run({ session }) {
    const name = await session.app();
    const app = await (await session.client()).getApp(name);
    const [url] = app.urls;
    if (url === undefined) {
      throw new TandemError('APP_HAS_NO_RELEASE', `"${name}" has no address yet.`, {
        hint: `tandem deploy -a ${name}`,
      });
    }
    session.output.document({ app: name, urls: app.urls });
    for (const address of app.urls) session.output.text(address);
    if (session.interactive && hasDesktop(session)) openBrowser(url);
  },
};

function hasDesktop({ io: { env } }: Session): boolean {
  if (process.platform === 'darwin') return true;
  return Boolean(env['DISPLAY'] || env['WAYLAND_DISPLAY']);
}

/** The address is printed already, so a browser that does not start is no failure. */
function openBrowser(url: string): void {
  const opener = process.platform === 'darwin' ? 'open' : 'xdg-open';
  const child = spawn(opener, [url], { stdio: 'ignore', detached: true });
  child.once('error', () => undefined);
  child.unref();
}
