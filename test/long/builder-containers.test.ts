// Packages that a Dockerfile installs, with the real archive: what is there is in the image, what is
// not is said, and neither keeps an app from being built.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createBuilderFixture,
  type BuilderFixture,
  type Built,
} from '../support/builder-fixture.ts';

let fixture: BuilderFixture;
beforeAll(async () => {
  fixture = await createBuilderFixture();
});
afterAll(() => fixture.close());

/** A WSGI app that cannot be imported without ZBar. */
const FILES = {
  'app.py': `import ctypes

library = ctypes.CDLL("libzbar.so.0")


def app(environ, start_response):
    start_response("200 OK", [])
    return [library._name.encode()]
`,
  'requirements.txt': '# nothing\n',
};
const dockerfile = (packages: string): string =>
  `FROM python:3.12-slim\nRUN apt-get update && apt-get install -y ${packages}\nCMD ["gunicorn", "app:app"]\n`;
const build = async (files: Record<string, string>): Promise<Built> =>
  await fixture.build(await fixture.packFiles({ ...FILES, ...files }));
const said = ({ image, findings }: Built): string[] =>
  [...findings, ...image.findings].map(({ rule, value }) => `${rule}=${value}`);

describe('packages of a Dockerfile', () => {
  it('are there for the import and the app, whatever release of Debian it was written for', async () => {
    const Dockerfile = dockerfile('gcc libzbar0t64 libgone42 git');
    const built = await build({ Dockerfile });
    expect(said(built)).toContain('system packages=libzbar0t64 libgone42');
    expect(said(built)).toContain('system packages=without libgone42');
    const loaded = 'python -c "import app; print(app.library._name)"';
    expect((await fixture.run(built.image, loaded)).output).toContain('libzbar.so.0');
    // From the layer that is kept, the same is said.
    const again = await build({ Dockerfile, 'more.py': '' });
    expect(again.image.layers.system).toEqual(built.image.layers.system);
    expect(said(again)).toContain('system packages=without libgone42');
  });

  it('give way to what the app asks for, when they do not go together', async () => {
    const built = await build({
      Aptfile: 'libzbar0\n',
      Dockerfile: dockerfile('libjack0 libjack-jackd2-0'),
    });
    expect(built.log).toContain('Going on without those of the Dockerfile.');
    expect(said(built)).toContain('system packages=without libjack0');
    expect(said(built)).not.toContain('system packages=without libzbar0');
  });

  it('that do not exist at all leave an app as it is', async () => {
    const built = await build({
      'app.py': 'def app(e, s):\n    s("200 OK", [])\n    return []\n',
      Dockerfile: dockerfile('libgone42'),
    });
    expect(said(built)).toContain('system packages=without libgone42');
  });
});
