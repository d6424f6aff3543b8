// Front ends built with the real npm before static files are collected, and apps that are Node.js
// themselves, from source to an image that answers.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TINY_DJANGO } from '../support/tiny-projects.ts';
import { createBuilderFixture, type BuilderFixture } from '../support/builder-fixture.ts';

type Files = Record<string, string>;
let fixture: BuilderFixture;
beforeAll(async () => {
  fixture = await createBuilderFixture();
});
afterAll(() => fixture.close());

const json = (content: object): string => JSON.stringify(content, null, 2);
const build = async (files: Files, changes = {}) =>
  await fixture.build(await fixture.packFiles(files), changes);
const failure = async (files: Files): Promise<unknown> =>
  await build(files).then(
    () => 'was built',
    (error: unknown) => error,
  );
const detailOf = (steps: readonly { name: string; detail: string }[], name: string) =>
  steps.find((step) => step.name === name)?.detail;

describe('a Django project with a front end', () => {
  const settings = `${TINY_DJANGO['site_one/settings.py']}
from pathlib import Path
STATIC_URL = "/static/"
INSTALLED_APPS.append("django.contrib.staticfiles")
STATICFILES_DIRS = [Path(__file__).parent.parent / "frontend" / "dist"]
`;
  const project: Files = {
    ...TINY_DJANGO,
    'site_one/settings.py': settings,
    '.gitignore': 'frontend/dist/\nnode_modules/\n',
    'frontend/package.json': json({
      private: true,
      scripts: { build: 'esbuild src/site.js --bundle --minify --outdir=dist' },
      devDependencies: { esbuild: '0.25.5' },
    }),
    'frontend/src/site.js': 'console.log("the front end");\n',
  };

  it('collects what its script builds, and keeps its packages out of the image', async () => {
    const first = await build(project);
    expect(first.image.findings).toContainEqual(
      expect.objectContaining({
        rule: 'node build',
        why: 'its output frontend/dist is not in the source',
      }),
    );
    const { output } = await fixture.run(
      first.image,
      'cat /static/site.js; ls -a /app/frontend; ls /opt/node 2>&1 || true',
    );
    expect(output).toContain('the front end');
    expect(output).not.toContain('node_modules');
    expect(output).toContain("cannot access '/opt/node'");
  });

  it('installs nothing again when only code changes', async () => {
    const changed = { ...project, 'frontend/src/site.js': 'console.log("another");\n' };
    const { steps, image } = await build(changed);
    expect(detailOf(steps, 'node')).toContain('packages kept');
    expect((await fixture.run(image, 'cat /static/site.js')).output).toContain('another');
  });

  it('is not built when told so', async () => {
    const { steps } = await build({
      ...project,
      'tandem.toml': 'node = false\n',
      'frontend/dist/x.css': '',
    });
    expect(detailOf(steps, 'node')).toBeUndefined();
  });

  it("says in the script's own words why it failed", async () => {
    const broken = { ...project, 'frontend/src/site.js': 'import x from "./missing.js";\n' };
    expect(await failure(broken)).toMatchObject({
      code: 'NODE_BUILD_FAILED',
      message: expect.stringContaining('./missing.js') as string,
      where: 'frontend/package.json:4',
    });
  });

  const styles = {
    ...TINY_DJANGO,
    'package.json': json({
      scripts: { 'build:css': 'postcss site.css -o site_one/static/site.css' },
    }),
  };

  it('leaves out a script whose program nobody brings, and says so', async () => {
    const { image } = await build(styles);
    expect(image.findings).toContainEqual({
      rule: 'node build',
      value: 'no "build:css" in .',
      why: 'postcss is not among its packages; npm install --save-dev postcss-cli',
      evidence: 'package.json:3',
    });
  });

  it('is refused for the same cause when tandem.toml names the script', async () => {
    const wished = { ...styles, 'tandem.toml': '[node]\nbuild = "build:css"\n' };
    expect(await failure(wished)).toMatchObject({
      code: 'NODE_BUILD_FAILED',
      message: '"npm run build:css" calls postcss, and postcss is not among its packages.',
      where: 'package.json:3',
      hint: 'npm install --save-dev postcss-cli',
    });
  });

  it('says when the lock does not match', async () => {
    const lock = json({ name: 'x', lockfileVersion: 3, packages: { '': {} } });
    expect(await failure({ ...project, 'frontend/package-lock.json': lock })).toMatchObject({
      code: 'NODE_INSTALL_FAILED',
      where: 'frontend/package-lock.json',
      hint: expect.stringContaining('npm install') as string,
    });
  });
});

const IS_NUMBER =
  'sha512-41Cifkg6e8TylSpdtTpeLVMqvSBEVzTttHvERD741+pnZ8ANv0004MRL43QKPDlK9cGvNp6NZWZUBlbGXYxxng==';

describe.each<[string, string, Files]>([
  [
    'yarn',
    'yarn 1',
    {
      'yarn.lock': `# yarn lockfile v1


is-number@7.0.0:
  version "7.0.0"
  resolved "https://registry.yarnpkg.com/is-number/-/is-number-7.0.0.tgz"
  integrity ${IS_NUMBER}
`,
    },
  ],
  [
    'yarn',
    '@yarnpkg/cli-dist 4',
    {
      // Its head is compared too.
      'yarn.lock': `# This file is generated by running "yarn install" inside your project.
# Manual changes might be lost - proceed with caution!

__metadata:
  version: 8
  cacheKey: 10c0

"is-number@npm:7.0.0":
  version: 7.0.0
  resolution: "is-number@npm:7.0.0"
  checksum: 10c0/b4686d0d3053146095ccd45346461bc8e53b80aeb7671cc52a4de02dbbf7dc0d1d2a986e2fe4ae206984b4d34ef37e8b795ebc4f4295c978373e6575e295d811
  languageName: node
  linkType: hard

"x@workspace:.":
  version: 0.0.0-use.local
  resolution: "x@workspace:."
  dependencies:
    is-number: "npm:7.0.0"
  languageName: unknown
  linkType: soft
`,
    },
  ],
  [
    'pnpm',
    'pnpm 9',
    {
      'pnpm-lock.yaml': `lockfileVersion: '9.0'

importers:

  .:
    dependencies:
      is-number:
        specifier: 7.0.0
        version: 7.0.0

packages:

  is-number@7.0.0:
    resolution: {integrity: ${IS_NUMBER}}
    engines: {node: '>=0.12.0'}

snapshots:

  is-number@7.0.0: {}
`,
    },
  ],
  [
    'bun',
    '@oven/bun-linux-\\S+ 1',
    {
      'bun.lock': `{
  "lockfileVersion": 1,
  "workspaces": {
    "": {
      "name": "x",
      "dependencies": {
        "is-number": "7.0.0",
      },
    },
  },
  "packages": {
    "is-number": ["is-number@7.0.0", "", {}, "${IS_NUMBER}"],
  }
}
`,
    },
  ],
])('a project with a lock of %s', (name, fetched, lock) => {
  it(`is built with ${fetched}`, async () => {
    const { image, log } = await build({
      ...lock,
      'package.json': json({
        name: 'x',
        version: '1.0.0',
        private: true,
        scripts: { build: 'node build.js', start: 'node out.js' },
        dependencies: { 'is-number': '7.0.0' },
      }),
      'build.js': `require("fs").writeFileSync("out.js", "console.log(require('is-number')(7), '" + process.env.npm_config_user_agent + "')")`,
    });
    expect(log).toMatch(new RegExp(`fetching ${fetched}`));
    const { output } = await fixture.run(image, 'exec node out.js');
    expect(output).toContain(`true ${name}/`);
  });
});

describe('a project of workspaces', () => {
  const files: Files = {
    'package.json': json({
      private: true,
      workspaces: ['packages/*'],
      scripts: {
        build: 'node packages/one/build.js',
        postinstall: 'node make.js',
        start: 'node start.js',
      },
    }),
    'make.js': `require('fs').writeFileSync('made.txt', 'made by a hook');`,
    'start.js': `console.log(require('fs').readFileSync('made.txt', 'utf8'), require('./out.js'), require('two'));`,
    'packages/one/package.json': json({
      name: 'one',
      version: '1.0.0',
      dependencies: { 'is-number': '7.0.0' },
    }),
    'packages/one/build.js': `require('fs').writeFileSync('out.js', 'module.exports = ' + require('is-number')(7) + ';');`,
    'packages/two/package.json': json({
      name: 'two',
      version: '1.0.0',
      dependencies: { 'is-number': '6.0.0' },
    }),
    'packages/two/index.js': `module.exports = require('is-number/package.json').version;`,
  };
  const said = 'made by a hook true 6.0.0';

  it('has the packages of each, and what its hooks wrote, also when nothing is installed again', async () => {
    const archive = await fixture.packFiles(files);
    const first = await fixture.build(archive);
    expect((await fixture.run(first.image, 'exec node start.js')).output).toContain(said);
    const again = await fixture.build(archive);
    expect(detailOf(again.steps, 'dependencies')).toContain('kept');
    expect((await fixture.run(again.image, 'exec node start.js')).output).toContain(said);
  });

  it('installs nothing again when only code changes, and no hook may read it', async () => {
    const manifest = {
      ...(JSON.parse(files['package.json'] ?? '') as object),
      scripts: { start: 'node start.js' },
    };
    const plain = {
      ...files,
      'package.json': json(manifest),
      'start.js': `console.log(require('two'));`,
    };
    await build(plain);
    const changed = { ...plain, 'packages/two/index.js': `module.exports = 'two';` };
    const { steps, image } = await build(changed);
    expect(detailOf(steps, 'dependencies')).toContain('kept');
    expect((await fixture.run(image, 'exec node start.js')).output).toContain('two');
  });
});

describe('a site that is built', () => {
  const site: Files = {
    'index.html': '<!doctype html><script type="module" src="/src/site.js"></script>',
    'src/site.js': 'document.title = "built";',
    'package.json': json({
      private: true,
      scripts: { dev: 'vite', build: 'vite build' },
      devDependencies: { vite: '6.3.5' },
    }),
  };

  it('is what its tool wrote, without the tool', async () => {
    const { image, steps } = await build(site);
    expect(image).toMatchObject({
      framework: 'static',
      processTypes: {},
      staticRoutes: [{ url: '/', directory: '/app/dist' }],
    });
    expect(detailOf(steps, 'node')).toMatch(/^build, Node /);
    const { output } = await fixture.run(image, 'cat /app/dist/index.html; ls -a /app');
    expect(output).toMatch(/src="\/assets\/index-[\w-]+\.js"/);
    expect(output).not.toContain('node_modules');
  });

  it('is refused when the tool writes no page where it should', async () => {
    const config = 'export default { build: { outDir: ["w", "ww"].join("") } };';
    const elsewhere = { ...site, 'vite.config.js': config };
    expect(await failure(elsewhere)).toMatchObject({
      code: 'NODE_BUILD_FAILED',
      message: '"build" wrote no dist/index.html.',
      hint: expect.stringContaining('static = { "/"') as string,
    });
  });
});

describe('a Node.js app', () => {
  const server = `const isNumber = require('is-number');
require('http')
  .createServer((request, response) => response.end('seven is ' + isNumber(7) + '\\n'))
  .listen(process.env.PORT);
`;
  const app: Files = {
    'package.json': json({
      name: 'plain',
      engines: { node: '22' },
      scripts: { start: 'node server.js', prepare: 'husky install || semver 1.0.0' },
      dependencies: { 'is-number': '7.0.0' },
      devDependencies: { semver: '7.6.0' },
    }),
    'server.js': server,
  };

  it('answers with the version and the packages it asks for', async () => {
    const { image } = await build(app);
    expect(image).toMatchObject({
      framework: 'node',
      processTypes: { web: { kind: 'web', command: 'node server.js' } },
      env: { NODE_ENV: 'production' },
    });
    expect(image.nodeVersion).toMatch(/^22\./);
    const ask = `
(exec node server.js) &
for i in $(seq 50); do
  node -e 'fetch("http://[::1]:8000/").then((a) => a.text()).then(console.log, () => process.exit(1))' && break
  sleep 0.1
done
ls node_modules; node --version`;
    const { output } = await fixture.run(image, ask);
    expect(output).toContain('seven is true');
    expect(output).toContain('is-number');
    expect(output).not.toContain('semver');
    expect(output).toMatch(/v22\./);
  });

  it('installs nothing again when only code changes', async () => {
    const { steps } = await build({ ...app, 'server.js': `${server}// more\n` });
    expect(detailOf(steps, 'dependencies')).toContain('kept');
  });

  it('is refused when no such Node.js was published', async () => {
    expect(await failure({ ...app, '.nvmrc': '3.1.4\n' })).toMatchObject({
      code: 'NODE_UNAVAILABLE',
      where: '.nvmrc',
    });
  });
});
