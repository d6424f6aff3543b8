import { describe, expect, it } from 'vitest';
import { memoryTree } from '../detect/source-tree.ts';
import { readTandemToml } from '../detect/tandem-toml.ts';
import { detectNodeBuilds } from './detect-node-build.ts';

type Files = Record<string, string>;
const json = (scripts: Record<string, string>, more: object = {}): string =>
  JSON.stringify({ name: 'x', scripts, ...more }, null, 2);

function detect(files: Files, changes: { root?: string; names?: string[] } = {}) {
  const tree = memoryTree(files);
  const settingsFile = Object.keys(files).find((path) => path.endsWith('settings.py'));
  const { config } = readTandemToml(tree);
  const project = { root: '', names: [], config, settingsFile, ...changes };
  const { value, findings } = detectNodeBuilds(tree, project);
  return {
    findings,
    builds: value.map(({ manifest, manager, scripts }) => ({
      directory: manifest.directory,
      manager: manager.name,
      scripts,
    })),
  };
}

describe('a front end', () => {
  it('is built when its output is not in the source', () => {
    const files = {
      'package.json': json({ build: 'vite build' }),
      'package-lock.json': '{}',
      'vite.config.js': `export default { build: { outDir: 'static/dist' } };`,
      'static/site.css': '',
    };
    const { builds, findings } = detect(files);
    expect(builds).toEqual([{ directory: '', manager: 'npm', scripts: ['build'] }]);
    expect(findings).toEqual([
      {
        rule: 'node build',
        value: 'npm run build',
        why: 'its output static/dist is not in the source',
        evidence: 'package.json:4',
      },
    ]);
  });

  it('is not built when its output came along', () => {
    const files = {
      'package.json': json({ build: 'esbuild app.js --bundle --outfile=static/app.js' }),
      'static/app.js': 'x',
    };
    const { builds, findings } = detect(files);
    expect(builds).toEqual([]);
    expect(findings[0]).toMatchObject({ why: 'its output is in the source: static/app.js' });
  });

  it.each([
    ['sass --no-source-map scss/main.scss:static/css/main.css', 'static/css/main.css'],
    ['tailwindcss -i in.css -o ./static/tw.css --minify', 'static/tw.css'],
    ['webpack --mode production', 'assets/bundles'],
    ['npm run css && npm run js', 'static/css'],
    ['run-s part:*', 'static/part'],
    ['npm-run-all --print-label --parallel part:*', 'static/part'],
    ['concurrently "npm:part:*"', 'static/part'],
    ['node scripts/build.mjs', 'public/js'],
  ])('whose script is "%s" writes %s', (script, output) => {
    const parts = {
      css: 'postcss a.css -o static/css',
      js: 'rollup -c',
      'part:one': 'x -o static/part',
    };
    const files = {
      'package.json': json({ build: script, ...parts }),
      ...(script.startsWith('webpack')
        ? {
            'webpack.config.js': `module.exports = { output: { path: path.resolve(__dirname, 'assets', 'bundles') } };`,
          }
        : {}),
      'scripts/build.mjs': `await build({ outdir: '../public/js' });`,
    };
    expect(detect(files).findings[0]?.why).toBe(`its output ${output} is not in the source`);
  });

  it('below the app is built when the settings point there', () => {
    const front = {
      'frontend/package.json': json({ build: 'vite build' }),
      'frontend/pnpm-lock.yaml': "lockfileVersion: '9.0'\n",
    };
    expect(detect({ ...front, 'site1/settings.py': 'X = 1\n' }).builds).toEqual([]);
    const settings = {
      'site1/settings.py': 'STATICFILES_DIRS = [BASE_DIR / "frontend" / "dist"]\n',
    };
    expect(detect({ ...front, ...settings }).builds).toEqual([
      { directory: 'frontend', manager: 'pnpm', scripts: ['build'] },
    ]);
  });

  it('below the app is built when it writes into the app', () => {
    const files = {
      'assets/package.json': json({ build: 'esbuild x.js --outdir=../site1/static' }),
      'site1/settings.py': '',
    };
    expect(detect(files).builds).toHaveLength(1);
  });

  it('is found in the directory of django-tailwind', () => {
    const files = {
      'theme/static_src/package.json': json({
        build: 'npm run build:clean && npm run build:tailwind',
        'build:clean': 'rimraf ../static/css/dist',
        'build:tailwind': 'tailwindcss -i ./src/styles.css -o ../static/css/dist/styles.css',
      }),
      'site1/settings.py': '',
    };
    expect(detect(files, { names: ['django-tailwind'] }).builds[0]?.directory).toBe(
      'theme/static_src',
    );
  });

  it('above the app is built too', () => {
    const files = { 'package.json': json({ build: 'vite build' }), 'src/manage.py': '' };
    expect(detect(files, { root: 'src' }).builds).toHaveLength(1);
  });

  it('of documents, tests or examples is not the site', () => {
    for (const place of ['docs', 'e2e', 'examples/spa']) {
      const files = { [`${place}/package.json`]: json({ build: 'vite build --outDir ../out' }) };
      expect(detect(files).builds).toEqual([]);
    }
  });

  it('with nothing but tools for developers is left alone', () => {
    const scripts = { lint: 'eslint .', test: 'jest', dev: 'vite', build: 'webpack --watch' };
    expect(detect({ 'package.json': json(scripts) })).toEqual({ builds: [], findings: [] });
  });

  it('whose output is not known is built only when the project expects it', () => {
    const files = { 'package.json': json({ build: 'make-it' }) };
    expect(detect(files).builds).toEqual([]);
    expect(detect(files).findings[0]?.why).toContain('node = true in tandem.toml');
    expect(detect(files, { names: ['django-vite'] }).builds).toHaveLength(1);
    expect(detect({ ...files, '.gitignore': 'build/\n*.pyc\n' }).builds).toEqual([]);
    expect(detect({ ...files, '.gitignore': '/static/dist/\n' }).builds).toHaveLength(1);
  });

  it('is built for production where it can also be built for development', () => {
    const scripts = { build: 'webpack --mode development', 'build:prod': 'webpack' };
    expect(detect({ 'package.json': json(scripts) }).builds[0]?.scripts).toEqual(['build:prod']);
    const { build } = scripts;
    expect(detect({ 'package.json': json({ build }) }).builds[0]?.scripts).toEqual(['build']);
    expect(detect({ 'package.json': json({ build: '' }) })).toEqual({ builds: [], findings: [] });
  });

  it.each([
    ['vite.config.js', 'export default { build: { outDir: PLACES.dist } };', 'vite build'],
    ['webpack.config.js', 'module.exports = { output: { path: place } };', 'webpack'],
  ])('whose %s computes where it writes is not taken to write to dist', (name, config, build) => {
    const files = { 'package.json': json({ build }), [name]: config };
    expect(detect(files).findings[0]?.why).toContain('where it writes is not known');
  });

  it('is installed without a script when the settings serve its packages', () => {
    const files = {
      'package.json': json({}, { dependencies: { bootstrap: '^5' } }),
      'yarn.lock': '# yarn lockfile v1\n',
      'site1/settings.py': 'import os\nSTATICFILES_DIRS = ["/app/node_modules/bootstrap/dist"]\n',
    };
    const { builds, findings } = detect(files);
    expect(builds).toEqual([{ directory: '', manager: 'yarn', scripts: [] }]);
    expect(findings[0]?.evidence).toBe('site1/settings.py:2');
    const committed = { ...files, 'node_modules/bootstrap/dist/b.css': '' };
    expect(detect(committed).builds).toEqual([]);
  });
});

describe('tandem.toml', () => {
  const files = {
    'web/package.json': json({ build: 'x', css: 'y' }),
    'web/yarn.lock': '__metadata:\n',
  };

  it('turns it off', () => {
    const off = { 'tandem.toml': 'node = false\n', 'package.json': json({ build: 'vite build' }) };
    expect(detect(off)).toEqual({ builds: [], findings: [] });
  });

  it('names directory, scripts and version', () => {
    const toml = '[node]\ndirectory = "web/"\nbuild = ["css", "build"]\nversion = "20"\n';
    expect(detect({ ...files, 'tandem.toml': toml }).builds).toEqual([
      { directory: 'web', manager: 'berry', scripts: ['css', 'build'] },
    ]);
  });

  it.each([
    ['[node]\ndirectory = "elsewhere"\n', 'no elsewhere/package.json'],
    ['[node]\ndirectory = "web"\nbuild = "dist"\n', 'no script "dist"'],
  ])('is refused for %j', (toml, said) => {
    expect(() => detect({ ...files, 'tandem.toml': toml })).toThrow(
      expect.objectContaining({
        code: 'TANDEM_TOML_INVALID',
        message: expect.stringContaining(said) as string,
      }) as Error,
    );
  });
});

describe('a package.json that cannot be read', () => {
  it.each(['{', '[]', '"x"'])('is refused: %s', (text) => {
    expect(() => detect({ 'package.json': text })).toThrow(
      expect.objectContaining({ code: 'PACKAGE_JSON_INVALID', where: 'package.json' }) as Error,
    );
  });

  it("is nobody's affair below the app", () => {
    const files = {
      'shop/fixtures/package.json': '[{"model": "shop.package"}]\n',
      'theme/package.json': '{ {{ name }} }\n',
    };
    expect(detect(files).builds).toEqual([]);
  });
});
