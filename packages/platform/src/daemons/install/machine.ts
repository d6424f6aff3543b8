// What the composition roots know of the machine and of this checkout.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { COMMAND_ENV } from '../../lib/run-command.ts';

export interface Checkout {
  readonly root: string;
  readonly node: string;
  /** Changes with every build, so that daemons of an older one are restarted. */
  readonly build: string;
}

/** Sources and build output lie at equal depth: packages/platform/{src,dist}/daemons/install. */
export function thisCheckout(): Checkout {
  const root = fileURLToPath(new URL('../../../../..', import.meta.url)).replace(/\/$/, '');
  return { root, node: `${root}/.tools/node/bin/node`, build: buildStamp(root) };
}

export const daemonFile = ({ root }: Checkout, name: string): string =>
  `${root}/packages/platform/dist/daemons/${name}.js`;

export const cliFile = ({ root }: Checkout): string => `${root}/packages/cli/dist/tandem.js`;

const BALANCERS_MAX = 4;

/** Of the service, and of the worker in its messages. */
export const balancerName = (index: number): string => `balancer-${index}`;

export function balancerCount(): number {
  return Math.min(availableParallelism(), BALANCERS_MAX);
}

/** What builds need of the operator's environment: package sources, trust, interpreters. */
const BUILD_VARIABLE =
  /^(PIP|UV|NPM_CONFIG)_[A-Z_]+$|^(PYENV_ROOT|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|NODE_EXTRA_CA_CERTS|(HTTPS?|NO|ALL)_PROXY)$/i;

export function daemonEnvironment(
  environment: NodeJS.ProcessEnv,
  checkout: Checkout,
): Record<string, string> {
  const passed = Object.entries(environment).filter(
    (entry): entry is [string, string] => BUILD_VARIABLE.test(entry[0]) && entry[1] !== undefined,
  );
  const path = `${checkout.root}/.tools/uv/bin:${COMMAND_ENV['PATH']}`;
  return { ...Object.fromEntries(passed), ...COMMAND_ENV, PATH: path, HOME: '/root' };
}

function buildStamp(root: string): string {
  try {
    return readFileSync(`${root}/.tools/built`, 'utf8').trim();
  } catch {
    return 'unknown';
  }
}
