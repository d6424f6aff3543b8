// Gets a build of CPython by uv, which checks it against the digest that it knows: for a version that
// nobody installed on the machine. Without a network it fails within seconds.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TandemError } from '@tandem/protocol';
import { COMMAND_ENV, runToExit } from '../../lib/run-command.ts';

export interface FetchOptions {
  readonly uvPath: string;
  /** Of the platform; laid out as uv keeps its pythons. */
  readonly directory: string;
  /** Of the agent: mirrors and proxies are named there. */
  readonly environment: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
}

const FETCH_TIMEOUT_MS = 180_000;
const CONNECT_TIMEOUT_S = '5';
const PASSED_ON = [
  ...['UV_PYTHON_INSTALL_MIRROR', 'UV_PYTHON_DOWNLOADS_JSON_URL', 'SSL_CERT_FILE'],
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'],
  ...['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'],
];

/** `specifier` as uv takes it: `3.14`, `>=3.14,<3.15`. Throws PYTHON_UNAVAILABLE, saying from where. */
export async function fetchInterpreter(specifier: string, options: FetchOptions): Promise<void> {
  const { uvPath, directory, environment, signal } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const passed = PASSED_ON.flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const where = ['--install-dir', directory, '--no-bin', '--no-config'];
  const result = await runToExit([uvPath, 'python', 'install', ...where, specifier], {
    timeoutMs: FETCH_TIMEOUT_MS,
    env: {
      ...COMMAND_ENV,
      ...Object.fromEntries(passed),
      HOME: directory,
      UV_CACHE_DIR: join(directory, '.cache'),
      UV_HTTP_RETRIES: '0',
      UV_HTTP_CONNECT_TIMEOUT: CONNECT_TIMEOUT_S,
      NO_COLOR: '1',
    },
    ...(signal === undefined ? {} : { signal }),
  });
  if (result.exitCode !== 0) throw notFetched(result.stderr);
}

function notFetched(said: string): TandemError {
  const url = /https?:\/\/[^\s`)]+/.exec(said)?.[0];
  const last = (said.trim().split('\n').at(-1) ?? '').replace(/^\s*(error|cause):\s*/, '');
  const isOther = /hash mismatch/i.test(said);
  const why = isOther ? 'it is not the file whose digest uv knows' : last;
  const place = url === undefined ? 'was looked for' : `was tried from ${new URL(url).host}`;
  return new TandemError('PYTHON_UNAVAILABLE', `A download ${place}: ${why}.`, {
    hint: 'or start the platform with a mirror of the builds: UV_PYTHON_INSTALL_MIRROR=https://HOST/PATH',
  });
}
