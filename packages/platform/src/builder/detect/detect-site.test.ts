import { describe, expect, it } from 'vitest';
import { detect } from './detect.ts';
import { memoryTree } from './source-tree.ts';

type Files = Record<string, string>;
const found = (files: Files) =>
  detect(memoryTree(files), { pythonVersions: ['3.12.1'], config: {} });
const json = (scripts: Files, ...packages: string[]): string =>
  JSON.stringify({
    scripts,
    devDependencies: Object.fromEntries(packages.map((one) => [one, '*'])),
  });
const site = (files: Files) => {
  const { isSite, staticRoutes, nodeBuilds } = found(files);
  const [route] = staticRoutes;
  const scripts = nodeBuilds.flatMap((build) => build.scripts);
  return isSite ? { directory: route?.directory, scripts } : undefined;
};

describe('a site of files', () => {
  it.each([
    ['index.html', '/app'],
    ['public/index.html', '/app/public'],
    ['dist/index.html', '/app/dist'],
    ['_site/index.html', '/app/_site'],
  ])('%s', (path, directory) => {
    expect(site({ [path]: '', 'README.md': '' })).toEqual({ directory, scripts: [] });
    expect(found({ [path]: '' }).findings[0]).toMatchObject({ value: 'static', evidence: path });
  });

  it('is none without an index.html, or with one elsewhere', () => {
    expect(() => found({ 'templates/index.html': '' })).toThrow(/no manage\.py/);
  });
});

describe('a site that is built', () => {
  const vite = { 'package.json': json({ build: 'vite build' }, 'vite'), 'index.html': '' };

  it.each<[string, Files, string]>([
    ['Vite', vite, 'dist'],
    [
      'Vite',
      { ...vite, 'vite.config.js': 'export default { build: { outDir: "out/web" } }' },
      'out/web',
    ],
    [
      'Vite',
      { ...vite, 'vite.config.ts': 'x({ root: "src", build: { outDir: "../www" } })' },
      'www',
    ],
    [
      'Create React App',
      {
        'package.json': json(
          { start: 'react-scripts start', build: 'react-scripts build' },
          'react-scripts',
        ),
        'public/index.html': '',
      },
      'build',
    ],
    [
      'Astro',
      { 'package.json': json({ start: 'astro dev', build: 'astro build' }, 'astro', 'vite') },
      'dist',
    ],
    [
      'Eleventy',
      { 'package.json': json({ start: 'eleventy --serve', build: 'eleventy' }, '@11ty/eleventy') },
      '_site',
    ],
    [
      'Eleventy',
      { 'package.json': json({ build: 'npx @11ty/eleventy --output=pages' }, '@11ty/eleventy') },
      'pages',
    ],
    [
      'Next.js',
      {
        'package.json': json({ build: 'next build' }, 'next'),
        'next.config.mjs': 'export default { output: "export" }',
      },
      'out',
    ],
    [
      'Parcel',
      {
        'package.json': json({ build: 'parcel build src/index.html' }, 'parcel'),
        'src/index.html': '',
      },
      'dist',
    ],
    [
      'SvelteKit',
      {
        'package.json': json(
          { build: 'vite build' },
          '@sveltejs/kit',
          '@sveltejs/adapter-static',
          'vite',
        ),
      },
      'build',
    ],
  ])('by %s', (_name, files, directory) => {
    expect(site(files)).toEqual({ directory: `/app/${directory}`, scripts: ['build'] });
  });

  it('and whose output came along is served as it is', () => {
    const committed = { ...vite, 'dist/index.html': '' };
    expect(site(committed)).toEqual({ directory: '/app/dist', scripts: [] });
  });

  it('is one page for all addresses only with a router', () => {
    const routed = { ...vite, 'package.json': json({ build: 'vite build' }, 'vite', 'vue-router') };
    expect(found(routed).staticRoutes).toEqual([
      { url: '/', directory: '/app/dist', isSinglePage: true },
    ]);
    expect(found(routed).findings).toContainEqual(
      expect.objectContaining({ rule: 'static', why: 'vue-router makes them' }),
    );
    expect(found(vite).staticRoutes).toEqual([{ url: '/', directory: '/app/dist' }]);
  });

  it('may only need some of its files built', () => {
    const files = {
      'package.json': json({ build: 'tailwindcss -i in.css -o css/site.css' }, 'tailwindcss'),
      'index.html': '',
    };
    expect(site(files)).toEqual({ directory: '/app', scripts: ['build'] });
  });

  it('has an index.js of its own, which starts nothing', () => {
    expect(site({ ...vite, 'index.js': '' })?.directory).toBe('/app/dist');
    expect(found({ ...vite, 'server.js': '' }).nodeApp?.webCommand).toBe('node server.js');
  });

  it('goes where tandem.toml says', () => {
    const toml = 'static = { "/" = "web" }\n';
    expect(site({ ...vite, 'tandem.toml': toml })).toEqual({
      directory: '/app/web',
      scripts: ['build'],
    });
  });

  it.each<[string, Files]>([
    ['a library', { 'package.json': json({ build: 'vite build' }, 'vite') }],
    ['a server', { 'package.json': json({ build: 'next build' }, 'next') }],
    [
      'a server',
      {
        'package.json': json({ build: 'astro build' }, 'astro'),
        'astro.config.mjs': 'x({ output: "server" })',
      },
    ],
    [
      'hidden',
      { ...vite, 'vite.config.js': 'x({ build: { outDir: ".output" } })', 'index.html': '' },
    ],
  ])('is none when it is %s', (_what, files) => {
    expect(() => found(files)).toThrow(
      expect.objectContaining({ code: 'NO_APP_DETECTED' }) as Error,
    );
  });
});
