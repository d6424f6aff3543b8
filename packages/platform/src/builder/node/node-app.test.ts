import { describe, expect, it } from 'vitest';
import { detect } from '../detect/detect.ts';
import { memoryTree } from '../detect/source-tree.ts';

type Files = Record<string, string>;
const json = (content: object): string => JSON.stringify(content, null, 2);
const found = (files: Files) =>
  detect(memoryTree(files), { pythonVersions: ['3.12.1'], config: {} });
const web = (scripts: Record<string, string>, more: Files = {}, fields: object = {}) =>
  found({ 'package.json': json({ scripts, ...fields }), ...more }).nodeApp?.webCommand;

describe('the start of a Node.js app', () => {
  it.each([
    ['node server.js', 'node server.js'],
    ['NODE_ENV=production node --enable-source-maps dist/main.js', undefined],
    ['cross-env NODE_ENV=production node .', 'NODE_ENV=production node .'],
    ['next start -p $PORT', 'next start -p $PORT'],
    ['node a.js && node b.js', 'npm run start'],
    ['echo $npm_package_version', 'npm run start'],
  ])('by the script "%s"', (start, command) => {
    expect(web({ start })).toBe(command ?? start);
  });

  it('is the one for production', () => {
    expect(web({ start: 'nodemon app.js', 'start:prod': 'node dist/main' })).toBe('node dist/main');
    expect(web({ start: 'npm run serve', serve: 'node x.js' })).toBe('node x.js');
  });

  it('leaves out a hook that only builds, and keeps any other', () => {
    expect(web({ prestart: 'npm run build', start: 'node x.js' })).toBe('node x.js');
    expect(web({ prestart: 'node seed.js', start: 'node x.js' })).toBe('npm run start');
  });

  it('is a file when there is no script', () => {
    expect(web({}, { 'server.js': '' })).toBe('node server.js');
    expect(web({}, { 'lib/app.js': '' }, { main: './lib/app.js' })).toBe('node lib/app.js');
    expect(web({}, { 'lib/index.js': '' }, { main: 'lib' })).toBe('node lib/index.js');
  });

  it.each(['vite', 'vite --host', 'react-scripts start', 'webpack serve', 'tsx watch x.ts'])(
    'is not "%s", which is for developers',
    (start) => {
      expect(() => web({ start })).toThrow(
        expect.objectContaining({ code: 'NO_APP_DETECTED' }) as Error,
      );
    },
  );
});

describe('a Node.js app', () => {
  it('says what was found', () => {
    const { nodeApp, nodeBuilds, findings } = found({
      'package.json': json({
        scripts: { build: 'tsc', start: 'node dist/x.js' },
        dependencies: { pg: '^8' },
        engines: { node: '22' },
      }),
      'yarn.lock': '',
    });
    expect(nodeApp).toMatchObject({
      buildScripts: ['build'],
      wantsDatabase: true,
      node: { range: '22' },
      manager: { name: 'yarn' },
    });
    expect(nodeBuilds).toEqual([]);
    expect(findings.map(({ rule, value }) => `${rule}=${value}`)).toEqual([
      'framework=node',
      'root=.',
      'process=web: node dist/x.js',
      'dependencies=yarn.lock',
      'node build=yarn run build',
      'database=PostgreSQL',
    ]);
  });

  it('is started as its Procfile says', () => {
    const { nodeApp, named } = found({ 'package.json': '{}', Procfile: 'web: node x.js\n' });
    expect(nodeApp?.webCommand).toBeUndefined();
    expect(named.processes['web']?.command).toBe('node x.js');
  });

  it('is none where Python answers', () => {
    const start = { 'package.json': json({ scripts: { start: 'node x.js' } }) };
    const flask = 'from flask import Flask\napp = Flask(__name__)\n';
    expect(found({ ...start, 'app.py': flask, 'requirements.txt': 'flask\n' }).nodeApp).toBe(
      undefined,
    );
    const gunicorn = { ...start, 'requirements.txt': 'x\n', Procfile: 'web: gunicorn x\n' };
    expect(found(gunicorn).nodeApp).toBeUndefined();
  });
});
