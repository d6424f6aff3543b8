// Which proxies these were.
import { run } from '../command.ts';
import { SYSTEM_PATH } from './tools.ts';

export async function proxyVersions(): Promise<Record<string, string>> {
  const said = async (...argv: [string, ...string[]]): Promise<string> => {
    // nginx says it on standard error.
    const script = `${argv.join(' ')} 2>&1`;
    return await run(['/bin/sh', '-c', script], { env: { PATH: SYSTEM_PATH } });
  };
  const number = (text: string): string => /\d+\.\d+\.\d+/.exec(text)?.[0] ?? '?';
  return {
    nginx: number(await said('nginx', '-v')),
    HAProxy: number(await said('haproxy', '-v')),
    Caddy: number(await said('caddy', 'version')),
  };
}
