// A hello world under gunicorn, asked directly and through our balancer. gunicorn runs as the platform
// runs it in an instance, but not in a sandbox.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../free-port.ts';
import type { Bench } from '../bench.ts';
import type { Figure } from '../figure.ts';
import { runWrk } from '../load/wrk.ts';
import { inTurns, measureSlice } from '../measure.ts';
import { LOAD_CORE, type PinnedProcess } from '../pinned-processes.ts';
import { HTTP_HOST } from '../proxies/proxy.ts';
import { routeTo, startStandalone } from '../proxies/tandem.ts';
import { untilServing } from '../ready.ts';

const CONNECTIONS = 32;
const ALONE = 'gunicorn alone';
const THROUGH = 'through Tandem';
const APPLICATION = `def application(environ, start_response):
    body = b"Hello from the app"
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
`;

export async function measureWholeWay(bench: Bench): Promise<Figure> {
  const gunicorn = await startGunicorn(bench);
  const directory = await bench.directory('whole-way');
  const { processes } = bench;
  const route = routeTo(HTTP_HOST, gunicorn.port);
  const tandem = await startStandalone({ processes, directory }, [route]);
  await untilServing(tandem.process, { port: tandem.port, host: HTTP_HOST });
  const slice = (port: number) => async () => {
    const load = (seconds: number) =>
      runWrk(processes, { port, host: HTTP_HOST, path: '/', connections: CONNECTIONS, seconds });
    // The app is the limit; what the proxy takes of its own core does not matter here.
    const { value } = await measureSlice({ pid: process.pid, load, seconds: bench.seconds });
    return { value };
  };
  const turns = { [ALONE]: slice(gunicorn.port), [THROUGH]: slice(tandem.port) };
  const readings = await inTurns(bench.rounds, turns);
  for (const started of [tandem, gunicorn]) await processes.stop(started.process);
  return {
    name: 'hello world, gunicorn without a sandbox',
    unit: 'requests/s',
    readings,
    targets: [{ of: THROUGH, against: [ALONE], atLeast: 0.9 }],
  };
}

async function startGunicorn(
  bench: Bench,
): Promise<{ readonly process: PinnedProcess; readonly port: number }> {
  const directory = await bench.directory('gunicorn');
  await writeFile(join(directory, 'hello.py'), APPLICATION);
  const port = await freePort();
  const server = ['--worker-class', 'gthread', '--workers', '2', '--threads', '8'];
  const process = bench.processes.start({
    core: LOAD_CORE,
    cwd: directory,
    argv: ['gunicorn', ...server, '--keep-alive', '75', '--bind', `127.0.0.1:${port}`, 'hello'],
  });
  await untilServing(process, { port, host: HTTP_HOST });
  return { process, port };
}
