// What a page needs beside Python: static files that came along or were left out, and front ends that
// Node.js builds.
import { site, SETTINGS, URLS } from './django-site.ts';
import type { Trap } from './trap.ts';

const STATIC = `${SETTINGS}from pathlib import Path

BASE_DIR = Path(__file__).parent.parent
INSTALLED_APPS.append("django.contrib.staticfiles")
STATIC_URL = "/static/"
`;
const READS = (directory: string): string =>
  `${STATIC}STATICFILES_DIRS = [BASE_DIR / "${directory}"]\n`;
const json = (content: object): string => JSON.stringify(content, null, 2);
const WRITES = (path: string): string => `const { mkdirSync, writeFileSync } = require('node:fs');
const { dirname } = require('node:path');
mkdirSync(dirname('${path}'), { recursive: true });
writeFileSync('${path}', 'made by node');
`;
const MADE = /made by node/;

/** Continues "a Django project that ..." */
export const STATIC_TRAPS: readonly Trap[] = [
  {
    name: 'commits what its front end builds',
    files: site({
      'shop/settings.py': READS('assets/dist'),
      'package.json': json({
        scripts: { build: 'esbuild assets/site.js --outfile=assets/dist/site.js' },
        devDependencies: { esbuild: '0.25.5' },
      }),
      'assets/site.js': 'source',
      'assets/dist/site.js': 'came along',
    }),
    finds: [
      {
        rule: 'node build',
        value: 'no "build" in .',
        why: 'its output is in the source: assets/dist/site.js',
        evidence: 'package.json:3',
      },
    ],
    answers: { path: '/static/site.js', text: /came along/ },
  },
  {
    name: 'ignores what its front end builds',
    files: site({
      'shop/settings.py': READS('assets/dist'),
      '.gitignore': 'assets/dist/\nnode_modules/\n',
      'package.json': json({ scripts: { build: 'node assets/build.js --outdir=assets/dist' } }),
      'assets/build.js': WRITES('assets/dist/site.js'),
    }),
    finds: [{ rule: 'node build', value: 'npm run build' }],
    answers: { path: '/static/site.js', text: MADE },
  },
  {
    name: 'has its front end beside it, which writes into it',
    files: {
      ...Object.fromEntries(
        Object.entries(site({ 'shop/settings.py': READS('assets') })).map(([path, text]) => [
          `backend/${path}`,
          text,
        ]),
      ),
      'frontend/package.json': json({
        scripts: { build: 'node build.js --outdir=../backend/assets' },
      }),
      'frontend/build.js': WRITES('../backend/assets/site.js'),
    },
    finds: [{ rule: 'node build', value: 'npm run build in frontend' }],
    answers: { path: '/static/site.js', text: MADE },
  },
  {
    name: 'reads the manifest that Vite hides among its files',
    files: site({
      'shop/settings.py': READS('assets/dist'),
      'shop/urls.py': URLS.replace(
        'getattr(settings, "SIGN", "")',
        'open(settings.STATIC_ROOT + "/.vite/manifest.json").read()',
      ),
      '.gitignore': 'assets/dist/\nnode_modules/\n',
      'package.json': json({ scripts: { build: 'node assets/build.js --outdir=assets/dist' } }),
      'assets/build.js': WRITES('assets/dist/.vite/manifest.json'),
    }),
    finds: [{ rule: 'node build', value: 'npm run build' }],
    answers: { text: MADE },
  },
  {
    name: 'makes its style sheet by a command of its own',
    files: site({
      'shop/settings.py': `${READS('assets')}INSTALLED_APPS.append("shop")\n`,
      'shop/management/__init__.py': '',
      'shop/management/commands/__init__.py': '',
      'shop/management/commands/compile_themes.py': `from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    def handle(self, *args, **options):
        path = settings.STATICFILES_DIRS[0]
        path.mkdir()
        (path / "site.css").write_text("made by a command")
`,
      'tandem.toml': 'build = ["python manage.py compile_themes"]\n',
    }),
    finds: [],
    answers: { path: '/static/site.css', text: /made by a command/ },
  },
  {
    name: 'has a build script whose program nobody brings',
    files: site({
      'shop/settings.py': READS('assets'),
      'assets/site.js': 'without its style',
      'package.json': json({ scripts: { 'build:css': 'postcss site.css -o assets/site.css' } }),
    }),
    finds: [{ rule: 'node build', value: 'npm run build:css' }],
    answers: { path: '/static/site.js', text: /without its style/ },
  },
  {
    name: 'has a build script whose program every developer has installed for all projects',
    files: site({
      'shop/settings.py': READS('assets'),
      'site.scss': '$loaf: 4px;\n.crust { width: $loaf * 2 }\n',
      '.gitignore': 'assets/site.css\n',
      'assets/site.js': 'source',
      'package.json': json({ scripts: { 'build:css': 'sass site.scss assets/site.css' } }),
    }),
    finds: [{ rule: 'node build', value: 'npm run build:css' }],
    answers: { path: '/static/site.css', text: /\.crust \{\s*width: 8px/ },
  },
  {
    name: 'commits the manifest of its hashed files, where it would collect to',
    files: site({
      'shop/settings.py': `${STATIC}STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {"staticfiles": {"BACKEND":
    "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}}
SIGN = (BASE_DIR / "staticfiles" / "staticfiles.json").read_text()
`,
      'staticfiles/staticfiles.json': '{"paths": {"kept": "kept"}, "version": "1.0"}',
    }),
    finds: [],
    answers: { text: /^postgresql .*"kept"/ },
    quick: true,
  },
  {
    name: 'names a file in a template that no manifest has',
    files: site({
      'shop/settings.py': `${STATIC}STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {"staticfiles": {"BACKEND":
    "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}}
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [BASE_DIR / "pages"]}]
`,
      'shop/urls.py': URLS.replace(
        'from django.urls',
        'from django.shortcuts import render\nfrom django.urls',
      ).replace(
        / {4}with connection[\s\S]*?"SIGN", ""\)\)\)\n/,
        '    return render(request, "page.html")\n',
      ),
      'pages/page.html': '{% load static %}<link href="{% static "css/gone.css" %}">\n',
    }),
    finds: [],
    refused: {
      code: 'STATIC_MANIFEST_MISSING',
      what: /css\/gone\.css/,
      fix: /below a static directory.*gone\.css/,
    },
    quick: true,
  },
  {
    name: 'sets no STATIC_ROOT',
    files: site({ 'shop/settings.py': READS('assets'), 'assets/site.css': 'its style' }),
    finds: [],
    answers: { path: '/static/site.css', text: /its style/ },
  },
  {
    name: 'commits its static files into the directory that it would collect to',
    files: site({
      'shop/settings.py': `${STATIC}STATIC_ROOT = BASE_DIR / "static"\n`,
      'static/site.css': 'its style',
    }),
    finds: [],
    answers: { path: '/static/site.css', text: /its style/ },
  },
];

/** Continues "a project that ..." */
export const SITE_TRAPS: readonly Trap[] = [
  {
    name: 'is a page that Vite must build, with addresses that only its router knows',
    files: {
      'index.html': '<p>made by node</p><script type="module" src="/site.js"></script>',
      'site.js': 'import { createRouter } from "vue-router";\nwindow.router = createRouter;\n',
      'package.json': json({
        private: true,
        scripts: { dev: 'vite', build: 'vite build' },
        dependencies: { vue: '3.5.13', 'vue-router': '4.5.1' },
        devDependencies: { vite: '6.3.5' },
      }),
    },
    finds: [
      { rule: 'framework', value: 'static', evidence: 'package.json' },
      { rule: 'static', value: 'index.html for every page', why: 'vue-router makes them' },
    ],
    answers: { path: '/orders/42', text: /\/assets\/index-[\w-]+\.js.*made by node/s },
  },
  {
    name: 'is a page that came along built',
    files: {
      'index.html': 'a template',
      'package.json': json({ scripts: { build: 'vite build' }, devDependencies: { vite: '*' } }),
      'dist/index.html': 'came along',
    },
    finds: [{ rule: 'framework', value: 'static', evidence: 'dist/index.html' }],
    answers: { text: /came along/ },
  },
];
