// The example site: the first proof that the platform works, deployed as its user would.
import { spawn } from 'node:child_process';
import { request } from 'node:http';
import { request as requestSecurely } from 'node:https';
import { text } from 'node:stream/consumers';
import { TandemError, type AppSummary } from '@tandem/protocol';
import { ControlClient } from '@tandem/protocol/client';
import { controlSocket } from '../../ports/paths.ts';
import { originOf } from '../../domain/installation.ts';
import type { RunningInstallation } from './bring-up.ts';
import { cliFile, type Checkout } from './machine.ts';

export const EXAMPLE_APP = 'guestbook';
const DEPLOY_TIMEOUT_MS = 15 * 60_000;
const ANSWER_TIMEOUT_MS = 15_000;

/** Deploys it unless it is there, then asks it for its page and one of its static files. */
export async function ensureExampleSite(
  { installation, paths }: RunningInstallation,
  checkout: Checkout,
): Promise<AppSummary> {
  const client = new ControlClient(controlSocket(paths));
  const present = (await client.listApps()).find((app) => app.name === EXAMPLE_APP);
  if (present?.release === undefined) await deploy(controlSocket(paths), checkout);

  const app = await client.getApp(EXAMPLE_APP);
  const host = `${EXAMPLE_APP}.${installation.suffix}`;
  const site = app.urls[0] ?? originOf(installation, 'http', host);
  const page = await get(site, '/');
  const file = /(?:href|src)="(\/static\/[^"]+)"/.exec(page)?.[1];
  if (file !== undefined) await get(site, file);
  return app;
}

async function deploy(socketPath: string, checkout: Checkout): Promise<void> {
  const directory = `${checkout.root}/examples/guestbook`;
  const child = spawn(checkout.node, [cliFile(checkout), 'deploy', directory, '-a', EXAMPLE_APP], {
    env: { PATH: '/usr/bin:/bin', HOME: '/root', LANG: 'C.UTF-8', TANDEM_SOCKET: socketPath },
    stdio: 'inherit',
    timeout: DEPLOY_TIMEOUT_MS,
  });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  if (exitCode === 0) return;
  throw new TandemError('MACHINE_UNFIT', 'The example site could not be deployed.', {
    hint: `tandem logs -a ${EXAMPLE_APP}   and   tandem doctor`,
  });
}

/** On this machine, whatever the name of the site leads to. */
async function get(site: string, path: string): Promise<string> {
  const { protocol, hostname, host, port } = new URL(site);
  const isSecure = protocol === 'https:';
  const options = {
    ...{ host: '127.0.0.1', port: port || (isSecure ? 443 : 80), path, headers: { host } },
    ...{ servername: hostname, rejectUnauthorized: false, timeout: ANSWER_TIMEOUT_MS },
  };
  return await new Promise((resolve, reject) => {
    const outgoing = (isSecure ? requestSecurely : request)(options, (response) => {
      if (response.statusCode === 200) return void text(response).then(resolve, reject);
      response.resume();
      reject(notAnswering(`${site}${path}`, `status ${response.statusCode}`));
    });
    outgoing.once('timeout', () => outgoing.destroy(new Error('no answer')));
    outgoing.once('error', (error) => reject(notAnswering(`${site}${path}`, error.message)));
    outgoing.end();
  });
}

function notAnswering(url: string, what: string): TandemError {
  const message = `The example site does not answer: ${url}: ${what}`;
  return new TandemError('MACHINE_UNFIT', message, { hint: `tandem logs -a ${EXAMPLE_APP}` });
}
