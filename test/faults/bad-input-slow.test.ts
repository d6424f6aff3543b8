// What takes its time to go wrong: servers that never answer, and some that stop doing so later. Side
// by side, because each of them mostly waits.
import { describe, it } from 'vitest';
import { sharedInstallation } from '../support/installation.ts';
import { StandingSite, type Files } from '../support/standing-site.ts';
import { TINY_FLASK } from '../support/tiny-projects.ts';

const t = await sharedInstallation();
/** Three probes, their pauses, and the start of a successor. */
const REPLACED_TIMEOUT_MS = 120_000;
const SOON = { timeout: 60_000, interval: 300 };

const procfile = (line: string): Files => ({ Procfile: `web: ${line}\n` });

const HANGING: Files = {
  'app.py': `import time

from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    time.sleep(600)
`,
};

/** One thread, which one request takes for ever: a deadlock as visitors see it. */
const LOCKABLE: Files = {
  ...procfile('python serve.py'),
  'serve.py': `import socket
import threading
from wsgiref.simple_server import WSGIServer, make_server


class DualStack(WSGIServer):
    address_family = socket.AF_INET6


def app(environ, start_response):
    if environ["PATH_INFO"] == "/lock":
        threading.Event().wait()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"alive"]


make_server("::", 8000, app, DualStack).serve_forever()
`,
};

describe.concurrent('a server', () => {
  it('that never listens', async () => {
    const site = await StandingSite.deploy(t, 'mute', TINY_FLASK);
    await site.refuses(procfile('python -c "import time; time.sleep(600)"'), {
      code: 'PORT_NOT_BOUND',
      what: /web\.1: nothing listened on port 8000 within 60 s/,
      where: /^Procfile:1 web: python -c/,
      fix: /0\.0\.0\.0:\$PORT/,
    });
    await site.destroy();
  });

  it('that never answers', async () => {
    const site = await StandingSite.deploy(t, 'patient', TINY_FLASK);
    await site.refuses(HANGING, {
      code: 'PROBE_TIMEOUT',
      what: /web\.1: GET \/ was not answered within 60 s/,
      where: 'app.py:10',
      fix: /do not wait there/,
    });
    await site.destroy();
  });

  it('that ends a moment after its start is started again, and ps says why', async ({ expect }) => {
    const site = await StandingSite.deploy(t, 'short', TINY_FLASK);
    await site.deployGood(procfile('timeout 4 gunicorn app:app'));
    const why = async () => (await t.tandem(['ps', '--why', '-a', site.app])).stdout;
    await expect
      .poll(why, SOON)
      .toMatch(/web\.1 +v2 .*crashed .*ended with status 124, retry 2\/5 in \d s/);
    await expect.poll(async () => (await t.client.getApp(site.app)).state, SOON).toBe('degraded');
    const { stdout } = await t.mustTandem(['logs', '-a', site.app, '--release', 'v2']);
    expect(stdout).toContain('tandem: ended with status 124, retry 1/5 in 1 s');
    await site.deployGood();
    expect((await t.get(site.app)).body).toBe('good');
    await site.destroy();
  });

  it('that locks up is replaced, the new one first', async ({ expect }) => {
    const site = await StandingSite.deploy(t, 'stuck', { ...TINY_FLASK, ...LOCKABLE });
    const [before] = await t.client.listProcesses(site.app);
    // A GET would be tried once more, and lock the successor too.
    const locked = t.request(site.app, '/lock', { method: 'POST' }).catch(() => undefined);
    const replaced = async () => {
      const running = (await t.client.listProcesses(site.app)).filter(
        (one) => one.state === 'running',
      );
      return running.map(({ instanceId }) => instanceId).join();
    };
    await expect
      .poll(replaced, { timeout: REPLACED_TIMEOUT_MS, interval: 500 })
      .not.toMatch(new RegExp(`^$|${before?.instanceId}`));
    expect((await t.get(site.app)).body).toBe('alive');
    const { stdout } = await t.mustTandem(['logs', '-a', site.app]);
    expect(stdout).toMatch(/tandem: unresponsive: 3 probes failed with no request answered/);
    await locked;
    await site.expectUntouched();
    await site.destroy();
  });
});
