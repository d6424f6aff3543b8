// The example site: the first proof that the platform works, deployed as its user would.
import { spawn } from 'node:child_process';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { TandemError, type AppSummary } from '@tandem/protocol';
import { ControlClient } from '@tandem/protocol/client';
import { controlSocket } from '../../ports/paths.ts';
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

  const host = `${EXAMPLE_APP}.${installation.suffix}`;
  const page = await get(installation.httpPort, host, '/');
  const file = /(?:href|src)="(\/static\/[^"]+)"/.exec(page)?.[1];
  if (file !== undefined) await get(installation.httpPort, host, file);
  return await client.getApp(EXAMPLE_APP);
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

async function get(port: number, host: string, path: string): Promise<string> {
  const options = { host: '127.0.0.1', port, path, headers: { host }, timeout: ANSWER_TIMEOUT_MS };
  return await new Promise((resolve, reject) => {
    const outgoing = request(options, (response) => {
      if (response.statusCode === 200) return void text(response).then(resolve, reject);
      response.resume();
      reject(notAnswering(host, path, `status ${response.statusCode}`));
    });
    outgoing.once('timeout', () => outgoing.destroy(new Error('no answer')));
    outgoing.once('error', (error) => reject(notAnswering(host, path, error.message)));
    outgoing.end();
  });
}

function notAnswering(host: string, path: string, what: string): TandemError {
  const message = `The example site does not answer: http://${host}${path}: ${what}`;
  return new TandemError('MACHINE_UNFIT', message, { hint: `tandem logs -a ${EXAMPLE_APP}` });
}
