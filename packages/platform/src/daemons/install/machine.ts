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

export function balancerCount(): number {
  return Math.min(availableParallelism(), BALANCERS_MAX);
}

/** Where packages come from and whom to trust: what builds need from the operator's environment. */
const REGISTRY_VARIABLE =
  /^(PIP|UV|NPM_CONFIG)_[A-Z_]+$|^(SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|NODE_EXTRA_CA_CERTS|(HTTPS?|NO|ALL)_PROXY)$/i;

export function daemonEnvironment(
  environment: NodeJS.ProcessEnv,
  checkout: Checkout,
): Record<string, string> {
  const registry = Object.entries(environment).filter(
    (entry): entry is [string, string] =>
      REGISTRY_VARIABLE.test(entry[0]) && entry[1] !== undefined,
  );
  const path = `${checkout.root}/.tools/uv/bin:${COMMAND_ENV['PATH']}`;
  return { ...Object.fromEntries(registry), ...COMMAND_ENV, PATH: path, HOME: '/root' };
}

function buildStamp(root: string): string {
  try {
    return readFileSync(`${root}/.tools/built`, 'utf8').trim();
  } catch {
    return 'unknown';
  }
}
