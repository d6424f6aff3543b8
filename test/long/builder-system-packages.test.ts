// Debian packages that an app needs: from the real archive, in a layer, or refused with the cause.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBuilderFixture, type BuilderFixture } from '../support/builder-fixture.ts';

let fixture: BuilderFixture;
beforeAll(async () => {
  fixture = await createBuilderFixture();
});
afterAll(() => fixture.close());

const APP = 'def app(environ, start_response):\n    return []\n';
const build = async (files: Record<string, string>, changes = {}) =>
  await fixture.build(await fixture.packFiles({ 'app.py': APP, ...files }), changes);
const failure = async (files: Record<string, string>): Promise<unknown> =>
  await build(files).then(
    () => 'was built',
    (error: unknown) => error,
  );

describe('an app that names packages', () => {
  it('runs on them, with what their maintainer scripts did', async () => {
    const files = { Aptfile: '# pages\npoppler-utils\nlibzbar0\nliblapack3>=3\n' };
    const { image, findings } = await build(files);
    expect(image.layers.system).toBeDefined();
    expect(findings.map(({ value }) => value)).toContain('poppler-utils');
    const { code, output } = await fixture.run(
      image,
      [
        'pdftoppm -v',
        // The linker's cache: ctypes asks it.
        `python -c "import ctypes.util as u; print(u.find_library('zbar'))"`,
        // An alternative, made by a script.
        `python -c "import ctypes; print(ctypes.CDLL('liblapack.so.3'))"`,
        'test ! -e /usr/sbin/policy-rc.d && test ! -e /var/cache/apt',
        'id -un',
      ].join(' && '),
    );
    expect(output).toMatch(/pdftoppm version/);
    expect(output).toContain('libzbar.so.0');
    expect(output).toContain("CDLL 'liblapack.so.3'");
    expect(output).toContain('app1');
    expect(code).toBe(0);
  });

  it('shares their layer with another app, and does not make it again', async () => {
    const files = { Aptfile: 'libzbar0\npoppler-utils\nliblapack3>=3\n' };
    const { image, log } = await build(files, { appId: 2 });
    expect(image.layers.system).toBeDefined();
    expect(log).not.toContain('system packages:');
  });

  it('needs no layer for what the stack has', async () => {
    const { image } = await build({ Aptfile: 'libmagic1\n' });
    expect(image.layers.system).toBeUndefined();
  });

  it('gets the version it asks for, and imports with it', async () => {
    const files = {
      'tandem.toml': '[packages]\napt = ["libdmtx0b=0.7.*"]\n',
      'app.py': `import ctypes\nctypes.CDLL("libdmtx.so.0")\n${APP}`,
    };
    const { image } = await build(files);
    expect(image.layers.system).toBeDefined();
  });
});

describe('packages that cannot be had', () => {
  it('because there is none of that name', async () => {
    expect(await failure({ Aptfile: 'libzbar0\nlibgdal30\n' })).toMatchObject({
      code: 'SYSTEM_PACKAGE_UNAVAILABLE',
      where: 'Aptfile:2 libgdal30',
      hint: expect.stringContaining('libgdal32') as string,
    });
  });

  it('because there is no such version', async () => {
    expect(await failure({ Aptfile: 'libzbar0=9.*\n' })).toMatchObject({
      code: 'SYSTEM_PACKAGE_UNAVAILABLE',
      message: expect.stringContaining('it has 0.23') as string,
    });
  });
});

describe('Python packages that need a library', () => {
  it('get it without being asked for', async () => {
    const { image, findings } = await build({
      'requirements.txt': 'pyzbar==0.1.9\n',
      'app.py': `import pyzbar.pyzbar\n${APP}`,
    });
    expect(image.layers.system).toBeDefined();
    expect(findings).toContainEqual({
      rule: 'system packages',
      value: 'libzbar0',
      why: 'pyzbar loads ZBar',
    });
  });

  it('do not when told so, and fail with the library as cause', async () => {
    const files = {
      'tandem.toml': '[packages]\nautomatic = false\n',
      'requirements.txt': 'pyzbar==0.1.9\n',
      'app.py': `import pyzbar.pyzbar\n${APP}`,
    };
    expect(await failure(files)).toMatchObject({
      message: expect.stringContaining('zbar') as string,
    });
  });

  it('find headers to be built with, and only libraries to run', async () => {
    const { image } = await build({
      'requirements.txt': 'pycairo==1.27.0\n',
      'app.py': `import cairo\n${APP}`,
    });
    const { output } = await fixture.run(
      image,
      'python -c "import cairo; print(cairo.version)"; ls /usr/include/cairo 2>&1 || true',
    );
    expect(output).toContain('1.27.0');
    expect(output).toMatch(/No such file/);
    // The headers of Cairo bring many others, on a large stack.
  }, 400_000);
});
