import { describe, expect, it } from 'vitest';
import { memoryTree } from '../detect/source-tree.ts';
import { readPackageJson, type PackageJson } from './package-json.ts';
import { programOfManifest } from './production-program.ts';

type Files = Record<string, string>;
function found(files: Files, ...packages: string[]) {
  const devDependencies = Object.fromEntries(packages.map((name) => [name, '*']));
  const tree = memoryTree({ 'package.json': JSON.stringify({ devDependencies }), ...files });
  return programOfManifest(tree, readPackageJson(tree, '') as PackageJson);
}
const gulp = (text: string, more: Files = {}) => found({ 'gulpfile.js': text, ...more }, 'gulp');
const argsOf = (one: ReturnType<typeof found>) => one?.program?.args.join(' ');

describe('a task of gulp', () => {
  it.each([
    `gulp.task("build", gulp.parallel("css"));`,
    `exports.build = series(clean, css);`,
    `exports['build'] = css;`,
    `export const build = series(css);`,
    `export async function build() { await css(); }`,
    `export { css, all as build };`,
    `module.exports = { css, build };`,
    `module.exports = {\n  build: series(css),\n  watch,\n};`,
  ])('is known by %s', (text) => {
    expect(argsOf(gulp(text))).toBe('gulp build');
  });

  it('is the one for production where there is one', () => {
    expect(argsOf(gulp(`task('build', css); task('build:production', css);`))).toBe(
      'gulp build:production',
    );
    expect(argsOf(gulp(`exports.default = css;`))).toBe('gulp default');
    expect(argsOf(gulp(`export default series(css);`))).toBe('gulp default');
  });

  it('is none where nothing builds, or gulp is not its own', () => {
    expect(argsOf(gulp(`task('css', css); // task('build', css)`))).toBeUndefined();
    expect(found({ 'gulpfile.js': 'exports.build = css;' })).toBeUndefined();
  });

  it.each([
    [`task('build', series('css', 'look')); task('look', () => gulp.watch('x'));`, 'watch'],
    [`const look = () => browserSync.init();\nexports.build = series(css, look);`, 'browserSync'],
    [
      `function collect() { spawn('python', ['manage.py', 'collectstatic']); }
exports.build = series(collect);`,
      'collectstatic',
    ],
  ])('that does more than build is refused: %s', (text, beyond) => {
    expect(gulp(text)).toMatchObject({
      program: undefined,
      refusal: `its task "build" also runs ${beyond}`,
    });
  });

  it('may watch beside the task that builds', () => {
    const text = `const { watch, series } = require('gulp');
const look = () => watch('x', css);
exports.build = series(css);
exports.default = series(css, look);`;
    expect(argsOf(gulp(text))).toBe('gulp build');
  });

  it('may lie in files of its own', () => {
    const files = {
      'gulp/build.js': `const { series } = require('gulp');\nconst css = require('./css');\nmodule.exports = series(css);`,
      'gulp/css.js': `const config = require('../config');\nmodule.exports = () => dest(config.place);`,
      'config.js': `module.exports = { place: 'static/build' };`,
      'gulp/watch.js': `module.exports = () => gulp.watch('x');`,
    };
    const text = `const build = require('./gulp/build');
const watch = require("./gulp/watch");
module.exports = { build, watch, default: watch };`;
    const one = gulp(text, files);
    expect(argsOf(one)).toBe('gulp build');
    expect(one?.texts.join('')).toContain('static/build');
    const looks = {
      ...files,
      'gulp/css.js': `const look = require('./watch');\nmodule.exports = look;`,
    };
    expect(argsOf(gulp(text, looks))).toBeUndefined();
  });

  it('may be in a directory that is called gulpfile.js', () => {
    expect(argsOf(found({ 'gulpfile.js/index.js': 'exports.build = css;' }, 'gulp'))).toBe(
      'gulp build',
    );
  });
});

describe('Grunt and bundlers', () => {
  it.each<[Files, string[], string | undefined]>([
    [
      { 'Gruntfile.js': `grunt.registerTask('build', ['sass']);` },
      ['grunt', 'grunt-cli'],
      'grunt build',
    ],
    [
      { 'Gruntfile.js': `grunt.registerTask('default', ['sass', 'watch']);` },
      ['grunt', 'grunt-cli'],
      undefined,
    ],
    [
      { 'webpack.config.js': 'module.exports = {}' },
      ['webpack', 'webpack-cli'],
      'webpack --mode=production',
    ],
    [
      { 'webpack.config.js': `module.exports = { mode: 'none' }` },
      ['webpack', 'webpack-cli'],
      'webpack',
    ],
    [{ 'webpack.config.js': 'module.exports = {}' }, ['webpack'], undefined],
    [{ 'vite.config.ts': '' }, ['vite'], 'vite build'],
    [{ 'rollup.config.mjs': '' }, ['rollup'], 'rollup -c'],
    [{ 'webpack.prod.js': '' }, ['webpack', 'webpack-cli'], undefined],
  ])('%j with %j', (files, packages, args) => {
    expect(argsOf(found(files, ...packages))).toBe(args);
  });
});
