import { describe, expect, it } from 'vitest';
import { memoryTree } from '../detect/source-tree.ts';
import { readPackageJson, type PackageJson } from './package-json.ts';
import { commandsOf, packageOf, programsIn } from './script-commands.ts';

const manifest = (scripts: Record<string, string>) =>
  readPackageJson(memoryTree({ 'package.json': JSON.stringify({ scripts }) }), '') as PackageJson;

describe('commandsOf', () => {
  it.each([
    ['npm run css && yarn js', ['x-css', 'x-js']],
    ['run-s part:*', ['x-one', 'x-two']],
    ['npm-run-all --print-label --parallel part:*', ['x-one', 'x-two']],
    ['npm-run-all "part:*"', ['x-one', 'x-two']],
    ['concurrently "npm:part:*"', ['x-one', 'x-two']],
    ['npm run all', ['npm run all']],
  ])('follows "%s"', (all, commands) => {
    const scripts = { css: 'x-css', js: 'x-js', 'part:one': 'x-one', 'part:two': 'x-two' };
    expect(commandsOf(manifest({ all, ...scripts }), ['all'])).toEqual([
      all,
      ...commands.filter((command) => command !== all),
    ]);
  });
});

describe('programsIn', () => {
  it.each([
    ['sass a.scss b.css', ['sass']],
    ['NODE_ENV=production webpack --mode production', ['webpack']],
    ['rm -rf dist && tsc && vite build || exit 1', ['rm', 'tsc', 'vite']],
    ['npm run css & npx tailwindcss', []],
    ['node build.js; ./scripts/build.sh; ../x', []],
    ['cd front && esbuild x.js', ['esbuild']],
    [`echo "one && two"; postcss 'a;b c'`, ['postcss']],
    ['', []],
    ['$(npm bin)/sass x', []],
    ['concurrently "npm:css"', ['concurrently']],
  ])('"%s"', (command, programs) => {
    expect(programsIn([command])).toEqual(programs);
  });

  it('names the package that brings one', () => {
    expect(['sass', 'tsc', 'run-p'].map(packageOf)).toEqual(['sass', 'typescript', 'npm-run-all']);
  });
});
